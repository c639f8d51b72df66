// Where the configured receivers are: by name, by place, and by what they announce.

import { withoutKeys } from '../../../platform/text/printed.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { type Address, defined } from '../../../protocol/index.ts'
import type { BoundPolicy } from '../../channels/binding.ts'
import type { Browse } from '../../discovery/browse.ts'
import { createPins, type Pins } from '../../discovery/pins.ts'
import { serviceName } from '../../discovery/service-name.ts'
import { agentError } from '../../errors/index.ts'
import type { X402Settings } from '../../options.ts'
import type { ReceiverPlaces } from '../../proxy/server.ts'
import type { PaymentPlan } from '../../purchase/dialect.ts'
import type { AssetSettings } from './assets.ts'
import type { AgentConfig } from './config.ts'
import { contractsOf } from './contracts.ts'
import { stateFolder } from './places.ts'

/** With the folder of the pins. */
export interface ReceiverSettings
  extends Pick<AgentConfig, 'receivers' | 'contract' | 'contracts' | 'discovery'> {
  readonly folder: string
}

export function receiverSettings(
  config: AgentConfig,
  environment: NodeJS.ProcessEnv = process.env,
): ReceiverSettings {
  const { receivers, contract, contracts, discovery } = config
  return { receivers, contract, contracts, discovery, folder: stateFolder(config, environment) }
}

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
  /**
   * How the receiver may be paid there, as far as the configuration says it. Where place and address are two
   * receivers’, the stricter: the address is what an answer claims, which anybody between may have written.
   */
  readonly boundAt: (url: URL, receiver: Address) => BoundPolicy | undefined
  /** How the receiver there may be paid; undefined: through channels alone. */
  readonly planAt: (url: URL) => PaymentPlan | undefined
  /** The address that the configuration has under this name. */
  readonly addressOf: (name: string) => Address | undefined
  /** What was found may be elsewhere now: it is looked for again. */
  readonly forget: () => void
}

export interface ReceiversOptions {
  readonly config: Pick<AgentConfig, 'receivers' | 'contract' | 'contracts'>
  readonly browse: Browse
  readonly pins: Pins
  readonly now?: () => Milliseconds
}

/** How long an answer is believed: addresses change while an agent runs for years. */
const fresh: Milliseconds = 10 * 60_000

export function openReceivers({ folder, discovery, ...config }: ReceiverSettings): Receivers {
  const browse: Browse = async (...given) => {
    const { createBrowse } = await import('../../discovery/browse.ts')
    return createBrowse(discovery)(...given)
  }
  return createReceivers({ config, browse, pins: createPins(folder) })
}

export function createReceivers(options: ReceiversOptions): Receivers {
  return new ConfiguredReceivers(options)
}

/** What is usual is one of the two beside it, as the contract is. */
const strictestFirst = ['require', 'usual', 'prefer', 'off'] as const

interface Located {
  readonly url: Promise<URL>
  readonly at: Milliseconds
}

class ConfiguredReceivers implements Receivers {
  readonly #options: ReceiversOptions
  /** By the name in the configuration. */
  readonly #bases: ReadonlyMap<string, URL>
  /** Found by their names alone, in lower case. */
  readonly #unpinned: readonly string[]
  /** By the announced name. */
  readonly #located = new Map<string, Located>()
  /** Origins that were found last, by the announced name. */
  readonly #found = new Map<string, string>()

  constructor(options: ReceiversOptions) {
    const { receivers } = options.config
    this.#options = options
    this.#bases = new Map(
      Object.entries(receivers).map(([name, { url }]) => [name, new URL(url)] as const),
    )
    this.#unpinned = Object.values(receivers).flatMap(({ url, address }) => {
      const name = serviceName(new URL(url))
      return name === undefined || address !== undefined ? [] : [name.toLowerCase()]
    })
  }

  forget(): void {
    this.#located.clear()
  }

  addressOf(name: string): Address | undefined {
    const { receivers } = this.#options.config
    return Object.hasOwn(receivers, name) ? receivers[name]?.address : undefined
  }

  receiverAt(url: URL): Address | undefined {
    if (this.#unpinned.length === 0) return undefined
    const known = this.#options.pins.all()
    const pin = this.#unpinned
      .map((name) => known.get(name))
      .find((each) => each?.origin === url.origin)
    return pin?.receiver
  }

  boundAt({ origin }: URL, receiver: Address): BoundPolicy | undefined {
    const { config, pins } = this.#options
    const chosen = Object.values(config.receivers).flatMap(({ url, address, bound = 'usual' }) => {
      const name = serviceName(new URL(url))
      if (name === undefined) {
        return address === receiver || new URL(url).origin === origin ? [bound] : []
      }
      const pin = pins.all().get(name.toLowerCase())
      const isPlace = this.#found.get(name) === origin || pin?.origin === origin
      return isPlace || (address ?? pin?.receiver) === receiver ? [bound] : []
    })
    const strictest = strictestFirst.find((each) => chosen.includes(each))
    return strictest === 'usual' ? undefined : strictest
  }

  planAt({ origin }: URL): PaymentPlan | undefined {
    const { config, pins } = this.#options
    const found = Object.values(config.receivers).find(({ url, pay }) => {
      if (pay === undefined) return false
      const name = serviceName(new URL(url))
      if (name === undefined) return new URL(url).origin === origin
      return (
        this.#found.get(name) === origin || pins.all().get(name.toLowerCase())?.origin === origin
      )
    })
    if (found?.pay?.includes('x402') !== true) return undefined
    return { dialects: found.pay, ...defined({ payTo: found.payTo ?? found.address }) }
  }

  async placeOf(receiver: Address): Promise<URL | undefined> {
    const { config, pins } = this.#options
    const known = Object.values(config.receivers).find(({ url, address }) => {
      const name = serviceName(new URL(url))
      const found = name === undefined ? undefined : pins.all().get(name.toLowerCase())?.receiver
      return (address ?? found) === receiver
    })
    return known === undefined ? undefined : this.#locate(new URL(known.url))
  }

  async resolve(target: string): Promise<URL> {
    const url = resolveUrl(this.#options.config, target)
    return serviceName(url) === undefined ? url : underneath(await this.#locate(url), url)
  }

  async find(url: URL): Promise<URL | undefined> {
    const named = url.port === '' ? this.#bases.get(url.hostname) : undefined
    if (named !== undefined) return underneath(await this.#locate(named), url)
    const places = await Promise.all([
      ...[...this.#bases.values()].filter((base) => serviceName(base) === undefined),
      ...[...this.#located.values()].map((each) => each.url.catch(() => undefined)),
    ])
    return places.some((place) => place?.origin === url.origin) ? url : undefined
  }

  #locate(base: URL): Promise<URL> {
    const { now = () => performance.now() } = this.#options
    const name = serviceName(base)
    if (name === undefined) return Promise.resolve(base)
    const known = this.#located.get(name)
    if (known !== undefined && now() - known.at < fresh) return known.url
    const url = this.#search(name).catch((error: unknown) => {
      this.#located.delete(name)
      throw error
    })
    this.#located.set(name, { url, at: now() })
    return url
  }

  async #search(name: string): Promise<URL> {
    const { config, browse, pins } = this.#options
    // Most agents know where their receivers are.
    const { search } = await import('../../discovery/search.ts')
    const { address } =
      Object.values(config.receivers).find(({ url }) => serviceName(new URL(url)) === name) ?? {}
    const { url } = await search(
      { name, address, contracts: contractsOf(config) },
      { browse, pins },
    )
    this.#found.set(name, url.origin)
    return url
  }
}

/** What may be paid by x402, with where; nothing where there is no asset to pay with. */
export function plansAt(
  settings: AssetSettings | undefined,
  receivers: Pick<Receivers, 'planAt'>,
): { readonly x402?: X402Settings } {
  if (settings === undefined) return {}
  return { x402: { ...settings, planFor: (url) => receivers.planAt(url) } }
}

/** A URL, or `name/path` with the name of a receiver in the configuration. */
export function resolveUrl({ receivers }: Pick<AgentConfig, 'receivers'>, text: string): URL {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text)
  const [name = '', ...path] = text.split('/')
  const receiver = Object.hasOwn(receivers, name) ? receivers[name] : undefined
  if (receiver !== undefined) return new URL(`${receiver.url.replace(/\/$/, '')}/${path.join('/')}`)
  const names = Object.keys(receivers).join(', ')
  throw agentError({
    code: 'not_a_url',
    message: `"${withoutKeys(text)}" is neither a URL nor a receiver’s name and a path.`,
    hint: `Write http://…${names && `, or begin with one of: ${names}`}.`,
  })
}

/** `http://living-room/a?b` at `http://192.168.1.104:5000/shop` is `http://192.168.1.104:5000/shop/a?b`. */
function underneath(base: URL, { pathname, search }: URL): URL {
  return new URL(`${base.pathname.replace(/\/$/, '')}${pathname}${search}`, base)
}
