// A provider of OpenID Connect for the tests, on Node's own crypto: another library than the one that verifies.
// Answers GET /told with what it was asked, and misbehaves as POST /next says: {"claims": {…}, "alg": "RS256" | "ES256" |
// "none" | "HS256" | "stranger", "state": "…"}. Prints its address once it listens.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");

const CLIENT = "guichet-test";
const SECRET = "the secret of the tests";
const rsa = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
const stranger = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });

let next = {};
const codes = new Map();
const told = [];

const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function sign(claims, alg) {
  const kid = alg === "ES256" ? "ec" : "rsa";
  const stated = alg === "stranger" ? "RS256" : alg;
  const text = `${part({ alg: stated, typ: "JWT", kid })}.${part(claims)}`;
  const bytes = Buffer.from(text);
  const signatures = {
    RS256: () => crypto.sign("sha256", bytes, rsa.privateKey),
    stranger: () => crypto.sign("sha256", bytes, stranger.privateKey),
    ES256: () => crypto.sign("sha256", bytes, { key: ec.privateKey, dsaEncoding: "ieee-p1363" }),
    HS256: () => crypto.createHmac("sha256", SECRET).update(bytes).digest(),
    none: () => Buffer.alloc(0),
  };
  return `${text}.${signatures[alg]().toString("base64url")}`;
}

function key(pair, kid, alg) {
  return { ...pair.publicKey.export({ format: "jwk" }), kid, alg, use: "sig" };
}

function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

function authorize(url, response) {
  const asked = Object.fromEntries(url.searchParams);
  told.push(asked);
  const code = crypto.randomBytes(16).toString("hex");
  codes.set(code, asked);
  const back = new URL(asked.redirect_uri);
  if (next.error) back.searchParams.set("error", next.error);
  else back.searchParams.set("code", code);
  back.searchParams.set("state", next.state ?? asked.state);
  response.writeHead(302, { location: back.href });
  response.end();
}

async function token(request, response, issuer) {
  const form = new URLSearchParams(await body(request));
  const asked = codes.get(form.get("code"));
  codes.delete(form.get("code"));
  const given = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
  const client = given.split(":").map((half) => decodeURIComponent(half.replaceAll("+", " "))).join(":");
  const challenge = crypto.createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
  if (!asked || client !== `${CLIENT}:${SECRET}` || challenge !== asked.code_challenge || asked.code_challenge_method !== "S256") {
    return json(response, { error: "invalid_grant" }, 400);
  }
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer, aud: CLIENT, sub: "subject-1", iat: now, exp: now + 300, nonce: asked.nonce,
    email: "nour@example.org", email_verified: true, name: "Nour Test", ...next.claims,
  };
  for (const name of Object.keys(claims)) if (claims[name] === null) delete claims[name];
  json(response, { access_token: "access", token_type: "Bearer", id_token: sign(claims, next.alg ?? "RS256") });
}

const server = http.createServer(async (request, response) => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const url = new URL(request.url, issuer);
  const routes = {
    "/.well-known/openid-configuration": () => json(response, {
      issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"], subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256", "ES256"],
    }),
    "/jwks": () => json(response, { keys: [key(rsa, "rsa", "RS256"), key(ec, "ec", "ES256")] }),
    "/authorize": () => authorize(url, response),
    "/token": () => token(request, response, issuer),
    "/told": () => json(response, told),
    "/next": async () => { next = JSON.parse(await body(request)); json(response, {}); },
  };
  await (routes[url.pathname] ?? (() => json(response, {}, 404)))();
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
