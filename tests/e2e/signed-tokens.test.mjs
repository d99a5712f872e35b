// Tokens that the runtime's WebCrypto signs, read by the published client and verified by Node's
// own crypto: RS256 for an app, ES256 and HS256 for providers that take a JSON Web Token, PS256 and
// SAML, whose signature another library verifies, for those that take an assertion.
import { constants, createHmac, createVerify, generateKeyPairSync, randomBytes } from "node:crypto";
import { Nango } from "@nangohq/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SignedXml } from "xml-crypto";
import { keys, startHarness } from "../support/harness.mjs";
import { startProvider } from "../support/provider.mjs";

let holdfast;
let provider;
let nango;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
  provider = await startProvider();
  ({ key } = await holdfast.createEnvironment());
  nango = new Nango({ host: holdfast.url, secretKey: key });
});
afterAll(async () => {
  await holdfast?.close();
  await provider?.close();
});

async function define(name, entry, credentials) {
  const body = { display_name: name, docs: "https://example.com/docs", ...entry };
  const options = { method: "PUT", key: keys.account, body };
  const defined = await holdfast.fetch(`/providers/${name}`, options);
  expect(defined.status, defined.text).toBe(200);
  const made = await post("/integrations", { provider: name, unique_key: name, credentials });
  expect(made.status, made.text).toBe(200);
}

async function imported(provider_config_key, credentials) {
  const answer = await post("/connections", {
    provider_config_key,
    connection_id: "user-1",
    credentials,
  });
  expect(answer.status, answer.text).toBe(200);
  return (await nango.getConnection(provider_config_key, "user-1")).credentials;
}

const post = (path, body) => holdfast.fetch(path, { method: "POST", key, body });

const jwtProvider = (protocol, token) => ({
  auth_mode: "JWT",
  signature: { protocol },
  token: { expires_in_ms: 900_000, ...token },
  credentials: { privateKey: { secret: true }, keyId: { optional: true } },
});

const assertingProvider = (assertion) => ({
  auth_mode: "TWO_STEP",
  token_url: `${provider.url}/token`,
  token_params: { assertion: "${credentials.assertion}" },
  token_response: { token: "access_token" },
  assertion: { key: "${assertionOption.privateKey}", ...assertion },
  assertion_option: { privateKey: { secret: true } },
  credentials: { user: {} },
});

/** Logs in at a provider that takes `assertion`, and gives the one that arrived. */
async function asserted(name, assertion, privateKey, user) {
  await define(name, assertingProvider(assertion));
  provider.respond({ body: { access_token: "fake-token" } });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  const { token } = await imported(name, { type: "TWO_STEP", user, privateKey: pem });
  expect(token).toBe("fake-token");
  return JSON.parse(provider.calls.at(-1).body).assertion;
}

function opened(token) {
  const [header, claims, signature] = token.split(".");
  const object = (part) => JSON.parse(Buffer.from(part, "base64url"));
  return {
    header: object(header),
    claims: object(claims),
    input: `${header}.${claims}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

/** Expects a token of now that `publicKey` verifies. */
function expectSigned(token, publicKey, alg) {
  const { header, claims, input, signature } = opened(token);
  expect(header.alg).toBe(alg);
  const verifier = createVerify("sha256").update(input);
  const isSigned = verifier.verify({ key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
  expect(isSigned).toBe(true);
  expect(Math.abs(claims.iat - Date.now() / 1000)).toBeLessThan(120);
  return claims;
}

test("an app asks for the token of an installation with one that RS256 verifies", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await define(
    "own-app",
    {
      auth_mode: "APP",
      token_url: `${provider.url}/app/installations/\${connectionConfig.installation_id}/access_tokens`,
    },
    {
      type: "APP",
      app_id: "77",
      app_link: "https://example.com/app",
      private_key: privateKey.export({ type: "pkcs1", format: "pem" }),
    },
  );
  const end = new Date(Date.now() + 3_600_000).toISOString();
  provider.respond({ status: 201, body: { token: "fake-installation-token", expires_at: end } });
  const inputs = { type: "APP", app_id: "77", installation_id: "42" };
  const credentials = await imported("own-app", inputs);
  expect(credentials.access_token).toBe("fake-installation-token");

  const [call] = provider.calls;
  expect(call.path).toBe("/app/installations/42/access_tokens");
  const bearer = call.headers.authorization.replace("Bearer ", "");
  expect(expectSigned(bearer, publicKey, "RS256").iss).toBe("77");

  const fresh = await nango.getConnection("own-app", "user-1", false, false, true);
  expectSigned(fresh.credentials.jwtToken, publicKey, "RS256");
  expect(fresh.connection_config.jwtToken).toBe(fresh.credentials.jwtToken);
  expect(provider.calls.length).toBe(1);
});

test("a token of an EC key is one that ES256 verifies, and stays until it is due", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await define("own-ec", jwtProvider("EC", {
    signing_key: "${credentials.privateKey}",
    header: { kid: "${credentials.keyId}" },
    payload: { aud: "own" },
  }));
  const privateKeyText = privateKey.export({ type: "sec1", format: "pem" });
  const inputs = { type: "JWT", privateKey: privateKeyText, keyId: "k" };
  const { token } = await imported("own-ec", inputs);
  expect(expectSigned(token, publicKey, "ES256").aud).toBe("own");
  expect(opened(token).header.kid).toBe("k");
  const again = await nango.getConnection("own-ec", "user-1");
  expect(again.credentials.token).toBe(token);
});

test("a token of a shared secret is one that HS256 verifies", async () => {
  const secret = randomBytes(32);
  await define("own-hmac", jwtProvider("HMAC", {
    signing_key: "${credentials.privateKey.secret}",
    header: { kid: "${credentials.privateKey.id}" },
  }));
  const inputs = { type: "JWT", privateKey: `fake-id:${secret.toString("hex")}` };
  const { token } = await imported("own-hmac", inputs);
  const { header, input, signature } = opened(token);
  expect(header).toEqual({ alg: "HS256", kid: "fake-id" });
  const expected = createHmac("sha256", secret).update(input).digest();
  expect(signature.equals(expected)).toBe(true);
});

test("an assertion is one that PS256 verifies", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwt = { type: "jwt", header: { alg: "PS256" }, payload: { iss: "${credentials.user}" } };
  const { header, claims, input, signature } = opened(
    await asserted("own-pss", jwt, privateKey, "me"),
  );
  expect(header.alg).toBe("PS256");
  expect(claims.iss).toBe("me");
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const verifier = createVerify("sha256").update(input);
  expect(verifier.verify({ key: publicKey, ...padding }, signature)).toBe(true);
});

test("an assertion of SAML is one whose signature another library verifies", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const saml = {
    type: "saml",
    issuer: "www.example.com",
    audiences: ["www.example.com"],
    nameIdentifier: "${credentials.user}",
    recipient: "https://example.com/token?a=1&b=2",
    sessionIndex: "${random}",
    attributes: { api_key: "fake \"key\" <&>", external: false },
  };
  const assertion = await asserted("own-saml", saml, privateKey, "Jürgen & <Söhne>\n\"x\"");
  const xml = Buffer.from(assertion, "base64").toString();
  const [signature] = xml.match(/<ds:Signature .*<\/ds:Signature>/s);

  const signed = new SignedXml({ publicCert: publicKey.export({ type: "spki", format: "pem" }) });
  signed.loadSignature(signature);
  expect(signed.checkSignature(xml)).toBe(true);
  const [reference] = signed.getSignedReferences();
  expect(reference).toContain("Jürgen &amp; &lt;Söhne&gt;");

  const changed = xml.replace(">false<", ">true<");
  expect(changed).not.toBe(xml);
  expect(signed.checkSignature(changed)).toBe(false);
});
