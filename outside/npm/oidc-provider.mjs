// An OpenID provider that others wrote and certified, started as Vestibule's tests need it.
//
// The program is read from the command line (`node --input-type=module --eval`), in the folder
// where npm installed the packages. Environment: OIDC_PORT (0 or nothing: the system chooses),
// OIDC_CLIENTS (a JSON array of client metadata). It prints one line once it answers.
//
// The login and consent pages are the package's own development pages: any name signs in with
// any password, and the name becomes the subject. A name that is an e-mail address is the
// address; any other name gets one at example.com.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const server = createServer();
await new Promise((listening) => server.listen(Number(process.env.OIDC_PORT ?? 0), "127.0.0.1", listening));
// The issuer contains the port, so the port comes first.
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: JSON.parse(process.env.OIDC_CLIENTS ?? "[]"),
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name", "preferred_username"],
    groups: ["groups"],
  },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Name of ${id}`,
      preferred_username: id,
      email: id.includes("@") ? id : `${id}@example.com`,
      email_verified: true,
      groups: ["staff"],
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // A client that forgets PKCE is refused, so that a sign-in that works proves it was sent.
  pkce: { required: () => true },
  cookies: { keys: ["these cookies protect nobody"] },
});
provider.on("server_error", (_context, error) => console.error(error));
server.on("request", provider.callback());
console.log(`listening on ${issuer}`);
