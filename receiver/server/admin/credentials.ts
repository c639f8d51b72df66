// What an `Authorization` header says (RFC 7617 Basic, RFC 6750 Bearer).

export type Credentials =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  /** A token; also as the user name of Basic with an empty password, as the original has it. */
  | { readonly kind: 'bearer'; readonly token: string }

/** Undefined when there are none that can be read. */
export function parseCredentials(header: string | undefined): Credentials | undefined {
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([^\s]{1,2000})$/.exec(header ?? '') ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { kind: 'bearer', token: value }
    case 'basic':
      return parseBasic(Buffer.from(value, 'base64').toString('utf8'))
    default:
      return undefined
  }
}

function parseBasic(text: string): Credentials | undefined {
  const colon = text.indexOf(':')
  if (colon < 1) return undefined
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)]
  return password === '' ? { kind: 'bearer', token: user } : { kind: 'basic', user, password }
}
