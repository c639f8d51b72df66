// Announces the receiver in the local network by DNS-SD over multicast DNS (RFC 6763, RFC 6762).
import type { EventEmitter } from 'node:events'
import { hostname, networkInterfaces } from 'node:os'
import { Bonjour, type Service } from 'bonjour-service'
import {
  type Announcement,
  discoveryService,
  formatAnnouncement,
  isUraidenError,
  parseAnnouncement,
} from '../../../protocol/index.ts'
import { defaultName, freeName, localHost } from './name.ts'

export interface AnnounceOptions {
  /** By default the machine's name. */
  readonly name?: string | undefined
  /** The machine's own address in the network to announce in; all when not given. */
  readonly interface?: string | undefined
  /** Where the receiver listens. */
  readonly port: number
  readonly announcement: Announcement
  readonly log: AnnounceLog
  /** UDP port; another one than 5353 is for tests. */
  readonly mdnsPort?: number
  /** Between two looks at the machine's addresses, in milliseconds. Default 15 000. */
  readonly interval?: number
}

export interface AnnounceLog {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

export interface AnnouncedReceiver {
  /** The wanted name, or with a number when another receiver has it. */
  readonly name: string
  /** Says goodbye. */
  readonly stop: () => Promise<void>
}

/** RFC 6762 section 8.1: three times 250 ms for others to say that they have the name. */
const probeTime = 750

/** A network in which nothing can be announced is no reason not to sell: it is logged. */
export async function announce(options: AnnounceOptions): Promise<AnnouncedReceiver> {
  const { log, interval = 15_000 } = options
  const bonjour = openMulticast(options)
  const name = freeName(
    options.name ?? defaultName(hostname()),
    await namesOfOthers(bonjour, options.announcement),
  )
  let service = publish(bonjour, name, options)
  let addresses = addressesNow()
  log.info({ name, port: options.port }, 'announced in the local network')

  /** A Raspberry Pi often starts before it has an address, and may get another one. */
  async function follow(): Promise<void> {
    const now = addressesNow()
    if (now === addresses) return
    addresses = now
    await withdraw(service)
    service = publish(bonjour, name, options)
    log.info({ name }, 'announced again: the addresses of this machine have changed')
  }

  const timer = setInterval(() => void follow(), interval)
  timer.unref()
  return {
    name,
    stop: async () => {
      clearInterval(timer)
      await withdraw(service)
      await new Promise<void>((resolve) => bonjour.destroy(() => resolve()))
    },
  }
}

function openMulticast({ interface: own, mdnsPort, log }: AnnounceOptions): Bonjour {
  const warn = (err: unknown) => log.warn({ err }, 'the receiver cannot be announced')
  const multicast = {
    // Bound to its own address a socket would hear no multicast.
    bind: '0.0.0.0',
    ...(own !== undefined && { interface: own }),
    ...(mdnsPort !== undefined && { port: mdnsPort }),
  }
  const bonjour = new Bonjour(multicast, warn)
  // The library leaves this event to nobody, and then it would end the process.
  const { mdns } = (bonjour as unknown as { readonly server: { readonly mdns: EventEmitter } })
    .server
  mdns.on('error', warn)
  return bonjour
}

/** What others have announced; our own from before a restart is not another one. */
async function namesOfOthers(
  bonjour: Bonjour,
  { receiver }: Announcement,
): Promise<ReadonlySet<string>> {
  const browser = bonjour.find({ ...discoveryService })
  await new Promise((resolve) => setTimeout(resolve, probeTime))
  browser.stop()
  const others = browser.services.filter(({ txt }) => receiverOf(txt) !== receiver)
  return new Set(others.map(({ name }) => name))
}

function receiverOf(txt: unknown): string | undefined {
  try {
    return parseAnnouncement(Object(txt)).receiver
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}

function publish(bonjour: Bonjour, name: string, { port, announcement }: AnnounceOptions): Service {
  return bonjour.publish({
    ...discoveryService,
    name,
    port,
    host: localHost(hostname()),
    txt: formatAnnouncement(announcement),
    // Done before; on a conflict the library would print to standard output and give up.
    probe: false,
  })
}

function withdraw(service: Service): Promise<void> {
  return new Promise((resolve) => {
    // An announcement that is under way would else call it back to life and repeat itself.
    service.destroyed = true
    service.stop(() => resolve())
  })
}

function addressesNow(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const outside = all.filter(({ internal }) => !internal).map(({ address }) => address)
  return outside.sort().join(' ')
}
