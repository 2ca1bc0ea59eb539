import re
from collections.abc import Callable

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from hookctl.kit.contracts import AuthContract
from hookctl.kit.project import Project
from hookctl.model import Secret
from hookctl.plugin import AuthContext, Settings
from hookctl.testing.answers import ReceivedRequest
from hookctl.testing.recorded import RecordedTransport
from requests import Request

import hookctl_aws_sigv4 as mine

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SETTINGS = {"access_key_id": KEY_ID, "secret_access_key": KEY, "region": "us-east-1", "service": "s3"}
WEBHOOK = """
name: Function
event: anomaly
url: https://siem.example.com/prod/events?stage=live&tag=a%20b
auth:
  type: aws_sigv4
  access_key_id: ${env:AWS_ACCESS_KEY_ID}
  secret_access_key: ${env:AWS_SECRET_ACCESS_KEY}
  session_token: ${env:AWS_SESSION_TOKEN}
  region: eu-central-1
  service: execute-api
body_template: |
  {"text": "{{ data.title }}", "city": "Zürich"}
"""


class TestContract(AuthContract):
    plugin = mine
    name = "aws_sigv4"
    settings = {**SETTINGS, "session_token": "a token for tests"}
    refused = ({**SETTINGS, "region": "US East"}, {**SETTINGS, "service": ""}, {**SETTINGS, "access_key_id": ""})


def signed_by_botocore(request: ReceivedRequest, service: str, region: str, token: str) -> str:
    """The header ``Authorization`` that the library of AWS computes for a request that was received."""
    (names,) = re.findall("SignedHeaders=([^,]+)", request.header("Authorization") or "")
    headers = HTTPHeaders()
    for name in names.split(";"):
        headers[name] = request.header(name)
    url = f"https://{request.header('Host')}{request.target}"
    again = AWSRequest(request.method, url, headers, request.body)
    again.context["timestamp"] = request.header("X-Amz-Date")
    signer = SigV4Auth(Credentials(KEY_ID, KEY, token), service, region)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    scope = signer.scope(again)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signer.signature(text, again)}"


def test_it_signs_the_example_that_aws_publishes() -> None:
    # "GET Bucket Lifecycle" of "Authenticating Requests: Using the Authorization Header" in the API reference of S3.
    settings: Settings = {**SETTINGS, "secret_access_key": Secret(KEY)}
    auth = mine.build(settings, AuthContext(RecordedTransport(), 5.0))
    headers = {"X-Amz-Date": "20130524T000000Z"}
    signed = auth(Request("GET", "https://examplebucket.s3.amazonaws.com/?lifecycle", headers).prepare())
    assert signed.headers["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )


def test_aws_would_accept_what_arrives(hookctl_project: Callable[..., Project]) -> None:
    token = "a token for tests"
    env = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": KEY, "AWS_SESSION_TOKEN": token}
    project = hookctl_project({"webhooks.d/function.yaml": WEBHOOK}, mine, env=env)
    result = project.run("test", "Function")
    assert result.exit_code == 0, result.stdout + result.stderr
    (request,) = project.receiver.requests
    expected = signed_by_botocore(request, "execute-api", "eu-central-1", token)
    assert request.header("Authorization") == expected
    assert "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token," in expected
    assert KEY not in result.stdout + result.stderr
    assert token not in result.stdout + result.stderr


def test_a_plan_shows_what_is_signed(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/function.yaml": WEBHOOK}, mine)
    result = project.run("plan")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "AWS4-HMAC-SHA256 Credential=***/***/eu-central-1/execute-api/aws4_request" in " ".join(
        result.stdout.split()
    )
