// Where the configured receivers are: by name, and by place.
import type { AgentConfig } from './config.ts'
import type { ReceiverPlaces } from './proxy/server.ts'

/** Receivers that stay at the URL that the configuration gives. */
export function fixedReceivers(receivers: AgentConfig['receivers']): ReceiverPlaces {
  const known = new Map(Object.entries(receivers).map(([name, { url }]) => [name, new URL(url)]))
  const origins = new Set([...known.values()].map(({ origin }) => origin))
  return {
    find: async (url) => {
      const named = url.port === '' ? known.get(url.hostname) : undefined
      if (named !== undefined) return underneath(named, url)
      return origins.has(url.origin) ? url : undefined
    },
  }
}

/** `http://living-room/a?b` at `http://192.168.1.104:5000/shop` is `http://192.168.1.104:5000/shop/a?b`. */
function underneath(base: URL, { pathname, search }: URL): URL {
  return new URL(`${base.pathname.replace(/\/$/, '')}${pathname}${search}`, base)
}
