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
  readonly connection: (state: 'live' | 'lost') => void
}

/** Tells the state whenever it changes, while the page is seen: nobody's page in the background costs. */
export function follow({ state, connection }: Told): void {
  let source: EventSource | undefined
  const open = () => {
    source?.close()
    source = document.hidden ? undefined : new EventSource('/events')
    source?.addEventListener('message', ({ data }) => {
      connection('live')
      state(JSON.parse(data))
    })
    source?.addEventListener('error', lost)
  }
  const lost = () => {
    connection('lost')
    // After an answer that is no stream the browser does not try again by itself.
    if (source?.readyState === EventSource.CLOSED) setTimeout(open, pause)
  }
  document.addEventListener('visibilitychange', open)
  open()
}
