/** Routes that no request of the fuzzer can have do what they are for, and why. */
export const UNREACHABLE: readonly (readonly [RegExp, string])[] = [
  [/OS-FEDERATION.*(auth|websso)|websso|redirect_uri/, 'they need a provider of identities that answers'],
  [/(ec2|s3)tokens$/, 'they need a signature'],
  [/users\/:id\/password$/, 'it needs the password that is there'],
  [/GET \/identity$/, 'it answers 300'],
  [
    /os-networks|os-tenant-networks|os-virtual-interfaces|os-hosts\/:name\/|image\/v2\/cache|DELETE \/image\/v2\/tasks|stores/,
    'what they are for is gone, or of other deployments',
  ],
  [
    /migrations\/:number|os-console-auth-tokens|remote-consoles|diagnostics|volume-snapshots/,
    'they need a guest that runs',
  ],
  [/images\/:id\/import|image\/v2\/tasks/, 'they need a place to download from, which writes when it likes'],
  [/aerostat.*consoles/, 'they are WebSockets'],
  [
    /billing\/(invoices|purchases)\/:id|billing\/quotes/,
    'they need a price that holds already, or usage that is booked',
  ],
  [
    /billing\/accounts\/:id\/(projects|withdrawals|budgets\/:budget)/,
    'they need a project, money or a budget that is there',
  ],
  [
    /(PUT|PATCH|POST) \/rating\/.*(modules|dataframes|scope|reprocess)/,
    'they refuse always, or need usage that is charged',
  ],
  [
    /GET \/rating\/v2\/(dataframes|scope)$|GET \/rating.*\/(modules|metrics|services)\/:/,
    'they need usage that is booked, or a name that is no id',
  ],
  [/runner\/images|runners\/:id\/(link|rotate)/, "they need a runner's session"],
];
