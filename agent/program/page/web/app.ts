// The page of an agent's owner.
import { actionButton } from '../../../../platform/web/pages/button.ts'
import { byId, h, setText, show } from '../../../../platform/web/pages/dom.ts'
import type { PageState } from '../state.ts'
import { type Actions, createActions } from './actions.ts'
import { follow, savedToken } from './api.ts'
import { createChannels } from './channels.ts'
import { createBudgets, createTiles } from './figures.ts'
import { createBehaviour, createPurchases, createTroubles } from './history.ts'
import { createJobs } from './jobs.ts'
import { createSpending } from './spending.ts'
import { iconOf } from './svg.ts'
import { amountIn, healthNames, type RenderContext, titleOf } from './text.ts'

/** Milliseconds after which "5 s ago" is not true any more. */
const redrawEvery = 10_000

export function runPage(place: HTMLElement): void {
  let state: PageState | undefined
  const redraw = () => {
    if (state === undefined) return
    draw(state, Date.now())
    show(place, true)
  }
  const draw = createPage(createActions(redraw), () => state?.paused ?? false)
  follow({
    connection: (is) => {
      showConnection(is)
      show(place, true)
    },
    state: (told) => {
      if (told.build !== place.dataset.build) return location.reload()
      state = told
      redraw()
    },
  })
  setInterval(redraw, redrawEvery)
}

/** Returns what draws a state at a time. */
function createPage(
  actions: Actions,
  isPaused: () => boolean,
): (state: PageState, now: number) => void {
  const tiles = createTiles(byId('a-tiles'))
  const spending = createSpending(byId('a-spending'))
  const budgets = createBudgets(byId('a-budgets'))
  const jobs = createJobs(byId('a-jobs'), jobActions(actions))
  const channels = createChannels(byId('a-channels'), actions.closeChannel)
  const purchases = createPurchases(byId('a-purchases'))
  const behaviour = createBehaviour(byId('a-behaviour'))
  const troubles = createTroubles(byId('a-troubles'))
  const hold = actionButton('Pause', () => pauseOrResume(actions, isPaused() ? 'resume' : 'pause'))
  const lock = actionButton('Allow actions…', actions.lockOrUnlock)
  byId('a-actions').append(hold.element, lock.element)
  return (state, now) => {
    const may = state.actions === 'withToken'
    const context: RenderContext = {
      now,
      amount: amountIn(state.token),
      mayAct: may && savedToken() !== null,
    }
    showDaemon(state)
    tiles(state, now)
    budgets(state.budgets, { token: state.token, now })
    spending(state, now)
    jobs(state.jobs, context)
    channels(state.channels, context)
    purchases(state.purchases, context)
    behaviour(state.behaviour, now)
    show(byId('a-behaviour-section'), state.behaviour.length > 0)
    troubles(state.troubles, now)
    show(byId('a-troubles-section'), state.troubles.length > 0)
    hold.say(state.paused ? 'Resume everything' : 'Pause everything')
    show(hold.element, context.mayAct)
    lock.say(context.mayAct ? 'Forget the token' : 'Allow actions…')
    show(lock.element, may)
  }
}

function jobActions({ run }: Actions) {
  const named = (name: 'runJob' | 'pause' | 'resume', begins: string, done: string) => {
    return (job: string) =>
      run({ name, input: { job }, begins: `${begins} ${job}…`, done: `${job} ${done}.` })
  }
  return {
    run: named('runJob', 'Running', 'ran'),
    pause: named('pause', 'Pausing', 'is paused'),
    resume: named('resume', 'Resuming', 'goes on'),
  }
}

function pauseOrResume({ run }: Actions, name: 'pause' | 'resume'): Promise<void> {
  const texts =
    name === 'resume'
      ? { begins: 'Resuming…', done: 'Jobs and programs may buy again.' }
      : { begins: 'Pausing…', done: 'Paused: jobs and programs buy nothing.' }
  return run({ name, input: {}, ...texts })
}

const connectionTexts = {
  live: '· live',
  lost: '· no connection to the agent; trying again',
  locked:
    'Open this page by the address that uraiden-agent status prints: its key is missing here.',
}

function showConnection(is: keyof typeof connectionTexts): void {
  setText(byId('a-live'), connectionTexts[is])
  byId('a-live').className = is === 'live' ? '' : 'd-bad'
}

function showDaemon(state: PageState): void {
  const { level, reasons } = state.health
  setText(byId('a-state'), healthNames[level])
  byId('a-state').className = `d-state a-${level}`
  setText(byId('a-health'), reasons.join(' · '))
  show(byId('a-health'), reasons.length > 0)
  showInTab(state.health)
  setText(byId('a-address'), state.address)
  showWaiting(state)
}

function showInTab(health: PageState['health']): void {
  const title = titleOf(health)
  if (document.title !== title) document.title = title
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  const href = iconOf(health.level)
  if (icon !== null && icon.href !== href) icon.href = href
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
