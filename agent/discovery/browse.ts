// Receivers that announce themselves in the local network: DNS-SD over multicast DNS (RFC 6763, RFC
// 6762). What they say of themselves is proven by nothing.
import type { EventEmitter } from 'node:events'
import { isIPv4 } from 'node:net'
import type { Service } from 'bonjour-service'
import { plainLine } from '../../platform/text/plain-text.ts'
import type { Milliseconds } from '../../platform/time/clock.ts'
import {
  type Announcement,
  discoveryService,
  isUraidenError,
  parseAnnouncement,
} from '../../protocol/index.ts'

export interface FoundReceiver {
  /** Of the instance: `living-room`. */
  readonly name: string
  readonly url: URL
  readonly announcement: Announcement
}

export interface BrowseOptions {
  /** The machine's own address in the network to look in; all when not given. */
  readonly interface?: string | undefined
  /** UDP port; another one than 5353 is for tests. */
  readonly mdnsPort?: number
}

/** Listens for `time`, or until `enough`. */
export type Browse = (
  time: Milliseconds,
  enough?: (found: FoundReceiver) => boolean,
) => Promise<readonly FoundReceiver[]>

/** In characters; RFC 6763 section 4.1.1 has 63 bytes. */
const longestName = 63

/** Between two questions: an answer may be lost, as multicast is. */
const askAgain: Milliseconds = 1000

export function createBrowse(options: BrowseOptions = {}): Browse {
  return async (time, enough = () => false) => {
    // Loaded when somebody asks: most agents know where their receivers are.
    const { Bonjour } = await import('bonjour-service')
    const found = new Map<string, FoundReceiver>()
    const bonjour = new Bonjour(multicast(options), () => undefined)
    // The library leaves this event to nobody, and then it would end the process.
    const { mdns } = (bonjour as unknown as { readonly server: { readonly mdns: EventEmitter } })
      .server
    mdns.on('error', () => undefined)
    const browser = bonjour.find({ ...discoveryService })
    const asking = setInterval(() => browser.update(), askAgain)
    await new Promise<void>((resolve) => {
      const end = setTimeout(resolve, time)
      const look = (service: Service): void => {
        const receiver = foundReceiver(service)
        if (receiver === undefined) return
        found.set(receiver.name, receiver)
        if (!enough(receiver)) return
        clearTimeout(end)
        resolve()
      }
      browser.on('up', look)
      browser.on('txt-update', look)
      browser.on('srv-update', look)
    })
    clearInterval(asking)
    browser.stop()
    await new Promise<void>((resolve) => bonjour.destroy(() => resolve()))
    return [...found.values()]
  }
}

function multicast({ interface: own, mdnsPort }: BrowseOptions) {
  return {
    // Bound to its own address a socket would hear no multicast.
    bind: '0.0.0.0',
    ...(own !== undefined && { interface: own }),
    ...(mdnsPort !== undefined && { port: mdnsPort }),
  }
}

/** Undefined for what is no receiver, or says nothing of where it is. */
function foundReceiver({ name, port, txt, addresses = [], referer }: Service) {
  try {
    const announcement = parseAnnouncement(Object(txt))
    // Where the answer came from is an address of it that reaches us.
    const host = [referer?.address ?? '', ...addresses].find((address) => isIPv4(address))
    if (host === undefined) return undefined
    const url = new URL(`${announcement.tls ? 'https' : 'http'}://${host}:${port}`)
    // No configured name has such characters, so nobody is found under a cleaned one.
    return { name: plainLine(name, longestName), url, announcement }
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}
