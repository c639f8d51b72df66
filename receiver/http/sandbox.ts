// Documents that are sold run in an origin of nobody's (Content Security Policy level 3, `sandbox`): they
// read nothing of the paywall's page, its stored channel and its cookies, and register nothing at its origin.

const policy = 'sandbox allow-scripts'

/** What a browser may run as a document; of what has no type it finds out by itself. */
const document = /^(text\/(html|xml)|application\/(xhtml\+)?xml|[\w.-]+\/[\w.-]+\+xml)\s*(;|$)/i

type HeaderValue = string | readonly string[] | number | undefined

/** The policies of an answer with these, its own and this one, which all count; undefined as it is. */
export function sandboxed(type: HeaderValue, own: HeaderValue): string[] | undefined {
  if (type !== undefined && !document.test(`${type}`.trim())) return undefined
  return [...[own ?? []].flat().map(String), policy]
}
