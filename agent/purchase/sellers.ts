// Who is paid where: the address that an origin named first is the only one that is paid there. A seller
// that could name another one in every answer would have a channel opened for each.
import { type Address, parseAddress } from '../../protocol/index.ts'
import type { Notes } from '../channels/notes.ts'

export interface Sellers {
  /** Undefined when nothing was bought there yet. */
  readonly at: (url: URL) => Address | undefined
  /** Durable before the first payment there is. */
  readonly remember: (url: URL, receiver: Address) => void
}

const prefix = 'seller/'

/** Keeps the `most` that came last. */
export function createSellers(notes: Notes, most = 1000): Sellers {
  const at: Sellers['at'] = ({ origin }) => {
    const known = notes.get(`${prefix}${origin}`) as { readonly receiver: string } | undefined
    return known && parseAddress(known.receiver)
  }
  return {
    at,
    remember: (url, receiver) => {
      const before = at(url)
      if (before === receiver) return
      const keys = before === undefined ? notes.keysUnder(prefix) : []
      if (keys[0] !== undefined && keys.length >= most) notes.later(keys[0], undefined)
      notes.later(`${prefix}${url.origin}`, { receiver })
    },
  }
}
