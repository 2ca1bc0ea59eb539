"""Who may do what, on a real server."""

from __future__ import annotations

from hookctl.model.token import Scope


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_has_its_scopes_and_no_others(server) -> None:  # noqa: ANN001
    intake, read, operate = server.token(Scope.INTAKE), server.token(Scope.READ), server.token(Scope.OPERATE)
    for token, statuses in {intake: (403, 403, 200), read: (200, 403, 403), operate: (200, 200, 403)}.items():
        given = bearer(token)
        answers = (
            server.request("GET", "/show", **given),
            server.request("POST", "/act", **given),
            server.request("POST", "/v1/take", "{}", **given),
        )
        assert tuple(answer.status for answer in answers) == statuses


def test_sign_in_with_the_link_and_act(server) -> None:  # noqa: ANN001
    cookie = server.sign_in()
    csrf = server.csrf(cookie)
    assert server.post("/act", cookie, {"csrf_token": csrf, "what": "replay"}).body == "ada@laptop did replay"
    assert server.post("/act", cookie, {"csrf_token": "guess", "what": "replay"}).status == 403
    assert server.request("GET", "/show", Accept="text/html").headers["location"] == "/sign-in?next=%2Fshow"
    assert "Sign in" in server.request("GET", "/sign-in").body
