const SECRET =
  /token|secret|passw|passphrase|authorization|cookie|credential|bearer|nonce|csr|fingerprint|certificate|certpem|provisioncode|provisioningcode|claimcode|confirmation|otp$|pem$|seed$|^cert$|^jwt$|^dsn$/;
/** These end like something harmless and are not. */
const ALWAYS = /machineid|hardwareid|deviceserial|boardserial$/;
/** A key, unless it is one of these. */
const KEY = /keys?$/;
const HARMLESS_KEY =
  /(public|idempotency|config|primary|foreign|object|cache|sort|lane|rule|routing|partition|unknown|lookup)keys?$/;
/** Numbers, times and names about a secret are what an operator needs, and give nothing away. */
const ABOUT =
  /(id|ids|count|name|kind|type|state|status|version|ms|seconds|bytes|length|size|at|serial|expiry|expires|days|age)$/;

const known = new Map<string, boolean>();
const MAX_KNOWN = 2000;

/** True when a value under this name is never written to a log. */
export function isSecretName(name: string): boolean {
  let is = known.get(name);
  if (is === undefined) {
    is = decide(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
    // Names can come from peers: the memory of them is bounded.
    if (known.size < MAX_KNOWN) known.set(name, is);
  }
  return is;
}

function decide(name: string): boolean {
  if (ALWAYS.test(name)) return true;
  if (KEY.test(name)) return !HARMLESS_KEY.test(name);
  return SECRET.test(name) && !ABOUT.test(name);
}
