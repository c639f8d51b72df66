// Where the configured receivers are: by name, by place, and by what they announce.

import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Address } from '../../../protocol/index.ts'
import type { Browse } from '../../discovery/browse.ts'
import { serviceName } from '../../discovery/config.ts'
import type { Pins } from '../../discovery/pins.ts'
import { search } from '../../discovery/search.ts'
import type { ReceiverPlaces } from '../../proxy/server.ts'
import { type AgentConfig, resolveUrl } from './config.ts'

export interface Receivers extends ReceiverPlaces {
  /**
   * A URL, or a receiver's name and a path, as a URL that can be asked.
   * @throws UraidenError `not_a_url`, `receiver_not_found`; for a name without an address also
   * `receiver_changed`, `receiver_ambiguous`, `state_unreadable`, `state_unwritable`
   */
  readonly resolve: (target: string) => Promise<URL>
  /**
   * Who alone may be paid there: the receiver that was found under a name first.
   * @throws UraidenError `state_unreadable`
   */
  readonly receiverAt: (url: URL) => Address | undefined
  /**
   * Where the receiver with this address is; undefined when the configuration does not know it.
   * @throws UraidenError `receiver_not_found`
   */
  readonly placeOf: (receiver: Address) => Promise<URL | undefined>
  /** What was found may be elsewhere now: it is looked for again. */
  readonly forget: () => void
}

export interface ReceiversOptions {
  readonly config: Pick<AgentConfig, 'receivers' | 'contract'>
  readonly browse: Browse
  readonly pins: Pins
  readonly now?: () => Milliseconds
}

/** How long an answer is believed: addresses change while an agent runs for years. */
const fresh: Milliseconds = 10 * 60_000

export function createReceivers(options: ReceiversOptions): Receivers {
  const { config, browse, pins, now = () => performance.now() } = options
  const bases = new Map(
    Object.entries(config.receivers).map(([name, { url }]) => [name, new URL(url)]),
  )
  /** Found by their names alone, in lower case. */
  const unpinned = Object.values(config.receivers).flatMap(({ url, address }) => {
    const name = serviceName(new URL(url))
    return name === undefined || address !== undefined ? [] : [name.toLowerCase()]
  })
  const located = new Map<string, { readonly url: Promise<URL>; readonly at: Milliseconds }>()

  function locate(base: URL): Promise<URL> {
    const name = serviceName(base)
    if (name === undefined) return Promise.resolve(base)
    const known = located.get(name)
    if (known !== undefined && now() - known.at < fresh) return known.url
    const url = find(name).catch((error: unknown) => {
      located.delete(name)
      throw error
    })
    located.set(name, { url, at: now() })
    return url
  }

  async function find(name: string): Promise<URL> {
    const { address } =
      Object.values(config.receivers).find(({ url }) => serviceName(new URL(url)) === name) ?? {}
    const { url } = await search({ name, address, contract: config.contract }, { browse, pins })
    return url
  }

  return {
    forget: () => located.clear(),
    receiverAt: (url) => {
      if (unpinned.length === 0) return undefined
      const known = pins.all()
      const pin = unpinned
        .map((name) => known.get(name))
        .find((each) => each?.origin === url.origin)
      return pin?.receiver
    },
    placeOf: async (receiver) => {
      const known = Object.values(config.receivers).find(({ url, address }) => {
        const name = serviceName(new URL(url))
        const found = name === undefined ? undefined : pins.all().get(name.toLowerCase())?.receiver
        return (address ?? found) === receiver
      })
      return known === undefined ? undefined : locate(new URL(known.url))
    },
    resolve: async (target) => {
      const url = resolveUrl(config, target)
      return serviceName(url) === undefined ? url : underneath(await locate(url), url)
    },
    find: async (url) => {
      const named = url.port === '' ? bases.get(url.hostname) : undefined
      if (named !== undefined) return underneath(await locate(named), url)
      const places = await Promise.all([
        ...[...bases.values()].filter((base) => serviceName(base) === undefined),
        ...[...located.values()].map((each) => each.url.catch(() => undefined)),
      ])
      return places.some((place) => place?.origin === url.origin) ? url : undefined
    },
  }
}

/** `http://living-room/a?b` at `http://192.168.1.104:5000/shop` is `http://192.168.1.104:5000/shop/a?b`. */
function underneath(base: URL, { pathname, search }: URL): URL {
  return new URL(`${base.pathname.replace(/\/$/, '')}${pathname}${search}`, base)
}
