// The page of an agent's owner.
import { actionButton } from '../../../../platform/web/pages/button.ts'
import { type Choice, chosen } from '../../../../platform/web/pages/dialog.ts'
import { byId, h, setText, show } from '../../../../platform/web/pages/dom.ts'
import type { PageChannel, PageState } from '../state.ts'
import { act, follow, forgetToken, Refusal, savedToken } from './api.ts'
import { createBudgets } from './budgets.ts'
import { createChannels, receiverText } from './channels.ts'
import type { Drawn } from './drawn.ts'
import { createJobs } from './jobs.ts'
import { createPurchases } from './purchases.ts'
import { createTiles } from './tiles.ts'
import { createTroubles } from './troubles.ts'
import { unlocked } from './unlock.ts'
import { amountIn, daemonState } from './words.ts'

/** Milliseconds after which "5 s ago" is not true any more. */
const redrawEvery = 10_000

/** Of the address in which this page's own script stands. */
const ownScript = new URL(import.meta.url).pathname.split('/').at(-1)

export function runPage(place: HTMLElement): void {
  let state: PageState | undefined
  const message = byId('a-message')
  const tiles = createTiles(byId('a-tiles'))
  const budgets = createBudgets(byId('a-budgets'))
  const jobs = createJobs(byId('a-jobs'), {
    run: (job) => run(`Running ${job}…`, 'runJob', { job }, `${job} ran.`),
    pause: (job) => run(`Pausing ${job}…`, 'pause', { job }, `${job} is paused.`),
    resume: (job) => run(`Resuming ${job}…`, 'resume', { job }, `${job} goes on.`),
  })
  const channels = createChannels(byId('a-channels'), closeOne)
  const purchases = createPurchases(byId('a-purchases'))
  const troubles = createTroubles(byId('a-troubles'))
  const hold = actionButton('Pause', pauseOrResume)
  const lock = actionButton('Allow actions…', lockOrUnlock)
  byId('a-actions').append(hold.element, lock.element)

  function say(text: string, kind: 'status' | 'alert' = 'status'): void {
    message.className = kind === 'alert' ? 'd-message d-bad' : 'd-message'
    setText(message, text)
  }

  async function run(
    begins: string,
    name: Parameters<typeof act>[0],
    input: object,
    done: string,
  ): Promise<void> {
    say(begins)
    try {
      await act(name, input)
      say(done)
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) forgetToken()
      say(error instanceof Error ? error.message : String(error), 'alert')
      draw()
    }
  }

  function pauseOrResume(): Promise<void> {
    if (state?.paused) return run('Resuming…', 'resume', {}, 'Jobs and programs may buy again.')
    return run('Pausing…', 'pause', {}, 'Paused: jobs and programs buy nothing.')
  }

  async function lockOrUnlock(): Promise<void> {
    if (savedToken() !== null) forgetToken()
    else if (await unlocked()) say('Actions are allowed in this tab.')
    draw()
  }

  async function closeOne(channel: PageChannel): Promise<void> {
    const name = receiverText(channel)
    const together: readonly Choice<'together' | 'alone'>[] =
      channel.receiverName === null ? [] : [['together', 'Close together']]
    const how = await chosen(
      `Close the channel to ${name}?`,
      [
        'It ends for good. What was paid goes to the receiver, the rest comes back.',
        ...(channel.receiverName === null
          ? ['Where the receiver is is not known (list it under receivers in agent.yaml).']
          : ['Together: the receiver agrees, and the rest is back after one transaction.']),
        'Alone: for a receiver that does not answer. The rest comes back after the challenge period.',
      ],
      [['alone', 'Close alone'], ...together],
    )
    if (how === undefined) return
    const done = how === 'together' ? 'is closed' : 'is closing; the agent settles by itself'
    const input = { channel: channel.name, how }
    await run('Sent; it takes a block or two…', 'close', input, `The channel to ${name} ${done}.`)
  }

  function draw(): void {
    if (state === undefined) return
    const may = state.actions === 'withToken'
    const now = Date.now()
    const drawn: Drawn = {
      now,
      amount: amountIn(state.token),
      mayAct: may && savedToken() !== null,
    }
    const is = daemonState(state)
    setText(byId('a-state'), is)
    byId('a-state').className = `d-state a-${is}`
    setText(byId('a-address'), state.address)
    showWaiting(state)
    tiles(state, now)
    budgets(state.budgets, state.token)
    jobs(state.jobs, drawn)
    channels(state.channels, drawn)
    purchases(state.purchases, drawn)
    troubles(state.troubles, now)
    hold.say(state.paused ? 'Resume everything' : 'Pause everything')
    show(hold.element, drawn.mayAct)
    lock.say(drawn.mayAct ? 'Forget the token' : 'Allow actions…')
    show(lock.element, may)
    show(place, true)
  }

  follow({
    connection: (is) => {
      setText(
        byId('a-live'),
        is === 'live' ? '· live' : '· no connection to the agent; trying again',
      )
      byId('a-live').className = is === 'live' ? '' : 'd-bad'
      show(place, true)
    },
    state: (told) => {
      if (told.build !== ownScript) return location.reload()
      state = told
      draw()
    },
  })
  setInterval(draw, redrawEvery)
}

function showWaiting({ waiting, refused, paused }: PageState): void {
  const lines = [
    ...(waiting === null
      ? []
      : [`Nothing can be paid now: ${waiting.message} The agent tries again by itself.`]),
    ...(refused === null
      ? []
      : [`The last reload was refused, the old configuration stays: ${refused}`]),
    ...(paused ? ['Paused: jobs and programs buy nothing until it is resumed.'] : []),
  ]
  const place = byId('a-waiting')
  if (place.dataset.lines === lines.join('\n')) return
  place.dataset.lines = lines.join('\n')
  place.replaceChildren(...lines.map((line) => h('p', {}, line)))
  show(place, lines.length > 0)
}
