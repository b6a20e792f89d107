/** An identity provider does not answer, or not as it should. The message is for the operator's log. */
export class ProviderFault extends Error {}

/** What somebody shows as a proof proves nothing. The message is for the operator's log, not for whom it keeps out. */
export class TokenRefused extends Error {}
