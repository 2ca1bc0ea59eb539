// Reads a list of requests from standard input, and writes for each whether its library accepts it.
import "@shopify/shopify-api/adapters/node";

import { verify as verifyGitHub } from "@octokit/webhooks-methods";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

function standardWebhooks({ secret, headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error.name !== "WebhookVerificationError") throw error;
    return false;
  }
}

async function github({ secret, headers, body }) {
  return verifyGitHub(secret, body, headers["x-hub-signature-256"]);
}

async function shopify({ secret, headers, body }) {
  const api = shopifyApi({
    apiKey: "key",
    apiSecretKey: secret,
    apiVersion: Object.values(ApiVersion)[0],
    hostName: "receiver.example.com",
    isEmbeddedApp: false,
    logger: { log: () => {} },
  });
  const outcome = await api.webhooks.validate({ rawBody: body, rawRequest: { method: "POST", headers, url: "/" }, rawResponse: {} });
  return outcome.valid;
}

const libraries = { standard_webhooks: standardWebhooks, github, shopify };
const outcomes = [];
for (const request of JSON.parse(await text(process.stdin))) {
  outcomes.push(await libraries[request.library](request));
}
process.stdout.write(JSON.stringify(outcomes));
