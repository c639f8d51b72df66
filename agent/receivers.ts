// Where the configured receivers are: by name, by place, and by what they announce.
import { UraidenError } from '../protocol/index.ts'
import type { Milliseconds } from './budget/clock.ts'
import { type AgentConfig, resolveUrl } from './config.ts'
import type { Browse } from './discovery/browse.ts'
import { serviceName } from './discovery/config.ts'
import type { ReceiverPlaces } from './proxy/server.ts'

export interface Receivers extends ReceiverPlaces {
  /**
   * A URL, or a receiver's name and a path, as a URL that can be asked.
   * @throws UraidenError `not_a_url`, `receiver_not_found`
   */
  readonly resolve: (target: string) => Promise<URL>
  /** What was found may be elsewhere now: it is looked for again. */
  readonly forget: () => void
}

export interface ReceiversOptions {
  readonly config: Pick<AgentConfig, 'receivers' | 'contract'>
  readonly browse: Browse
  readonly now?: () => Milliseconds
}

/** For an answer from the network. */
const patience: Milliseconds = 5000

/** How long an answer is believed: addresses change while an agent runs for years. */
const fresh: Milliseconds = 10 * 60_000

export function createReceivers(options: ReceiversOptions): Receivers {
  const { config, browse, now = () => performance.now() } = options
  const bases = new Map(
    Object.entries(config.receivers).map(([name, { url }]) => [name, new URL(url)]),
  )
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

  /** Only what claims to be the configured receiver on the configured contract: it has to prove it. */
  async function find(name: string): Promise<URL> {
    const { address } =
      Object.values(config.receivers).find(({ url }) => serviceName(new URL(url)) === name) ?? {}
    const sameName = (found: { readonly name: string }) =>
      found.name.toLowerCase() === name.toLowerCase()
    const found = await browse(
      patience,
      (each) => sameName(each) && each.announcement.receiver === address,
    )
    const candidates = found.filter(sameName)
    const right = candidates.find(
      ({ announcement }) =>
        announcement.receiver === address && announcement.contract === config.contract,
    )
    if (right !== undefined) return right.url
    const [other] = candidates
    throw new UraidenError({
      code: 'receiver_not_found',
      message:
        other === undefined
          ? `No receiver announces itself as ${name} in the local network.`
          : `What announces itself as ${name} is ${other.announcement.receiver} with the contract ${other.announcement.contract}: not the receiver of the configuration.`,
      hint: 'Nothing was paid. See who is there with: uraiden-agent discover',
    })
  }

  return {
    forget: () => located.clear(),
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
