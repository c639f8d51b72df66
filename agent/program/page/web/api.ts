// The daemon as the page asks it. The token is sent by hand with every action, so no page of another
// site can act in its place; it is kept for this tab only.
import type { PageRefusal, PageState } from '../state.ts'

/** What the agent refused, in its own words. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

const tokenKey = 'uraiden-agent-token'

/** Milliseconds until a stream that the agent has ended is asked for again. */
const pause = 3000

export function savedToken(): string | null {
  return sessionStorage.getItem(tokenKey)
}

export function forgetToken(): void {
  sessionStorage.removeItem(tokenKey)
}

/** Keeps the token when it is the right one. @throws Refusal */
export async function showToken(token: string): Promise<void> {
  await post('token', {}, token)
  sessionStorage.setItem(tokenKey, token)
}

/** Resolves when it is done. @throws Refusal */
export async function act(
  name: 'pause' | 'resume' | 'runJob' | 'close',
  input: object,
): Promise<void> {
  await post(name, input, savedToken() ?? '')
}

async function post(name: string, input: object, token: string): Promise<void> {
  const answer = await asked(name, input, token)
  if (answer.ok) return
  const { error } = (await answer.json().catch(() => ({}))) as Partial<PageRefusal>
  const words = error === undefined ? `The agent answered ${answer.status}.` : wordsOf(error)
  throw new Refusal(answer.status, words)
}

async function asked(name: string, input: object, token: string): Promise<Response> {
  try {
    return await fetch(`/do/${name}`, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(input),
    })
  } catch {
    throw new Refusal(0, 'The agent does not answer. See whether it runs: uraiden-agent status')
  }
}

function wordsOf({ message, hint }: PageRefusal['error']): string {
  return `${message} ${hint}`
}

export interface Told {
  readonly state: (state: PageState) => void
  /** locked: the page's address has no key, or a wrong one. */
  readonly connection: (state: 'live' | 'lost' | 'locked') => void
}

const ended = 'the stream ended'
const locked = 'locked'

/** What stands in the address after the # is never sent by the browser itself. */
function pageKey(): string {
  return new URLSearchParams(location.hash.slice(1)).get('key') ?? ''
}

/** Tells the state whenever it changes, while the page is seen: nobody's page in the background costs. */
export function follow(told: Told): void {
  let current: AbortController | undefined
  const open = () => {
    current?.abort()
    if (document.hidden) return
    const own = new AbortController()
    current = own
    listen(told, own.signal).catch((error: unknown) => {
      if (current !== own) return
      const isLocked = error instanceof Error && error.message === locked
      told.connection(isLocked ? 'locked' : 'lost')
      setTimeout(() => {
        if (current === own) open()
      }, pause)
    })
  }
  document.addEventListener('visibilitychange', open)
  window.addEventListener('hashchange', open)
  open()
}

/** What whoever knows the key may look at. @throws Error where there is no such answer */
export async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  const headers = { authorization: `Bearer ${pageKey()}` }
  const init: RequestInit = { headers, credentials: 'omit', cache: 'no-store' }
  const answer = await fetch(path, signal === undefined ? init : { ...init, signal })
  if (answer.status === 401) throw new Error(locked)
  if (!answer.ok) throw new Error(ended)
  return answer
}

/** Server-sent events by fetch: an EventSource sends no header. Ends with an error. */
async function listen({ state, connection }: Told, signal: AbortSignal): Promise<never> {
  const answer = await ask('/events', signal)
  if (answer.body === null) throw new Error(ended)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let rest = ''; ; ) {
    const { done, value } = await reader.read()
    if (done) throw new Error(ended)
    const events = (rest + value).split('\n\n')
    rest = events.pop() ?? ''
    connection('live')
    for (const event of events) {
      if (event.startsWith('data: ')) state(JSON.parse(event.slice('data: '.length)))
    }
  }
}
