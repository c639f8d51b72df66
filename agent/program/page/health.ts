// How the agent is, in one word and with the reasons: a pure function.
import type { PageHealth, PageState } from './state.ts'

/** Failures in a row from which on a job fails; one or two come to pass. */
const failing = 3

export function healthOf(
  state: Pick<PageState, 'waiting' | 'refused' | 'paused' | 'jobs' | 'budgets' | 'behaviour'>,
): PageHealth {
  const { waiting, refused, paused, jobs, budgets, behaviour } = state
  const broken = jobs.filter(({ failures }) => failures >= failing)
  const stumbling = jobs.filter(({ failures }) => failures > 0 && failures < failing)
  const undelivered = jobs.filter(({ sinks }) => sinks.some(({ problem }) => problem !== null))
  const over = budgets.filter((budget) => budget.over !== null)
  const alone = behaviour.filter(({ trust }) => trust === 'leftAlone')
  const named = (all: readonly { readonly name: string }[]) =>
    all.map(({ name }) => name).join(', ')
  const fails = [
    ...(waiting === null ? [] : ['nothing can be paid now']),
    ...(broken.length === 0 ? [] : [`${counted(broken.length, 'job')} failing: ${named(broken)}`]),
  ]
  const looks = [
    ...(paused ? ['paused'] : []),
    ...(refused === null ? [] : ['the last reload was refused']),
    ...(stumbling.length === 0 ? [] : [`failed last time: ${named(stumbling)}`]),
    ...(undelivered.length === 0 ? [] : [`not delivered: ${named(undelivered)}`]),
    ...(over.length === 0 ? [] : [`${counted(over.length, 'budget')} spent`]),
    ...(alone.length === 0 ? [] : [`${counted(alone.length, 'receiver')} left alone`]),
  ]
  const level = fails.length > 0 ? 'failing' : looks.length > 0 ? 'attention' : 'ok'
  return { level, reasons: [...fails, ...looks] }
}

/** `2 jobs` */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
