// Jobs: when each runs next, what came of the last run, and how it is run or paused by hand.
import { actionButton } from '../../../../platform/web/pages/button.ts'
import { h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import type { PageJob } from '../state.ts'
import { createSparkline } from './svg.ts'
import { jobState, lastResult, type RenderContext, when } from './text.ts'

export interface JobActions {
  readonly run: (job: string) => Promise<void>
  readonly pause: (job: string) => Promise<void>
  readonly resume: (job: string) => Promise<void>
}

export function createJobs(
  place: HTMLElement,
  actions: JobActions,
): (jobs: readonly PageJob[], context: RenderContext) => void {
  let latest: RenderContext | undefined
  const list = createList<PageJob>(place, {
    holder: h('ul', { class: 'a-cards' }),
    keyOf: ({ name }) => name,
    make: (job) => cardOf(job, actions, () => latest),
    empty: 'No job is configured: the agent pays for programs and commands only.',
  })
  return (jobs, context) => {
    latest = context
    list(jobs)
  }
}

function cardOf(
  { name }: PageJob,
  { run, pause, resume }: JobActions,
  latest: () => RenderContext | undefined,
): Entry<PageJob> {
  let paused = false
  const state = h('span', { class: 'd-state' })
  const [target, next, last, today, sinks] = [h('code'), h('dd'), h('dd'), h('dd'), h('dd')]
  const [value, unit] = [h('span', { class: 'a-value' }), h('span', { class: 'd-note' })]
  const spark = createSparkline()
  const bought = h('div', { class: 'a-bought' }, h('p', {}, value, ' ', unit), spark.element)
  const sinksTitle = h('dt', {}, 'Not delivered')
  const runNow = actionButton('Run now', () => run(name), { 'aria-label': `Run now: ${name}` })
  const hold = actionButton('Pause', () => (paused ? resume(name) : pause(name)))
  const buttons = h('div', { class: 'd-row' }, runNow.element, hold.element)
  const element = h(
    'li',
    { class: 'a-card' },
    h('h3', {}, `${name} `, state),
    bought,
    h('p', { class: 'd-note a-target' }, target),
    h(
      'dl',
      { class: 'a-facts' },
      ...[h('dt', {}, 'Next'), next, h('dt', {}, 'Last'), last, h('dt', {}, 'Today'), today],
      ...[sinksTitle, sinks],
    ),
    buttons,
  )
  return {
    element,
    show: (job) => {
      const context = latest()
      if (context === undefined) return
      const { now, amount, mayAct } = context
      paused = job.state === 'paused'
      setText(state, jobState(job))
      state.className = `d-state a-job-${job.state}`
      setText(target, job.target)
      setText(value, job.value?.last ?? '')
      value.classList.toggle('a-text', job.numbers.length === 0)
      setText(unit, job.value?.unit ?? '')
      show(bought, job.value !== null)
      if (job.numbers.length > 1) spark.show(job.numbers)
      spark.element.toggleAttribute('hidden', job.numbers.length < 2)
      setText(next, `${nextOf(job, now)}, ${job.schedule}`)
      setText(today, amount(job.today))
      setText(last, lastResult(job, now, amount))
      last.className = job.last?.problem && job.failures > 0 ? 'd-bad' : ''
      const waiting = job.sinks.map(sinkText)
      setText(sinks, waiting.join('; '))
      show(sinks, waiting.length > 0)
      show(sinksTitle, waiting.length > 0)
      hold.say(paused ? 'Resume' : 'Pause')
      hold.element.setAttribute('aria-label', `${paused ? 'Resume' : 'Pause'} ${name}`)
      show(buttons, mayAct)
    },
  }
}

function nextOf({ state, next, budget }: PageJob, now: number): string {
  if (state === 'running') return 'runs now'
  if (next === null && budget !== null) return 'when its budget is raised'
  if (next === null) return state === 'paused' ? 'when it is resumed' : 'not known'
  return when(Math.max(next, now), now).replace(/^0 s ago$/, 'now')
}

function sinkText({ id, waiting, problem }: PageJob['sinks'][number]): string {
  const why = problem === null ? '' : `: ${problem}`
  return `${waiting} for ${id}${why}`
}
