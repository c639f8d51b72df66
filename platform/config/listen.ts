// Where a server listens: `127.0.0.1:9403`, `[::1]:9403`, `localhost:9403`.
import { shorten, UraidenError } from '../../protocol/index.ts'
import { parsed } from './fields.ts'

export interface ListenAddress {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

const pattern = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})$/

/** @throws UraidenError `not_an_address_to_listen_on` */
function parseListenAddress(text: string): ListenAddress {
  const [, ipv6, name, digits] = pattern.exec(text.trim()) ?? []
  const host = ipv6 ?? name
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new UraidenError({
    code: 'not_an_address_to_listen_on',
    message: `"${shorten(text)}" is not an address and a port.`,
    hint: 'Write it like 127.0.0.1:9403, or [::1]:9403, with a port up to 65535.',
  })
}

export const listenAddress = parsed(parseListenAddress)
