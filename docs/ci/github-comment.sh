#!/usr/bin/env bash
# Writes a file as a comment on pull request NUMBER, in place of the last one of hookctl. Needs gh, with GH_TOKEN.
set -euo pipefail
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
mine='.[] | select(.user.type == "Bot" and (.body | startswith("## hookctl "))) | .id'
id=$(gh api "$comments?per_page=100" --paginate --jq "$mine" | tail -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$1" --silent
else
  gh api --method POST "$comments" --field "body=@$1" --silent
fi
