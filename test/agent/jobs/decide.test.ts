import test from 'ava'
import { type Decision, decide, type Moment, mostAtOnce } from '../../../agent/jobs/decide.ts'

const idle: Moment = {
  paused: false,
  full: false,
  running: 0,
  queued: false,
  overlap: 'skip',
  now: 1000,
  spent: false,
  notBefore: 1000,
}

const decisions: readonly [what: string, change: Partial<Moment>, decision: Decision][] = [
  ['idle', {}, { begin: 'now' }],
  ['paused', { paused: true }, { skip: 'paused' }],
  ['budget spent', { spent: true, full: true }, { skip: 'budgetSpent' }],
  ['slowed', { notBefore: 1001 }, { skip: 'slowed' }],
  ['full', { full: true }, { skip: 'sinkFull' }],
  ['running, skip', { running: 1 }, { skip: 'overlap' }],
  ['running, queue', { running: 1, overlap: 'queue' }, { begin: 'afterThis' }],
  ['one queued already', { running: 1, overlap: 'queue', queued: true }, { skip: 'overlap' }],
  ['running, allow', { running: mostAtOnce - 1, overlap: 'allow' }, { begin: 'now' }],
  ['too many', { running: mostAtOnce, overlap: 'allow' }, { skip: 'overlap' }],
]
for (const [what, change, decision] of decisions) {
  test(`a run is due while the job is ${what}`, (t) => {
    t.deepEqual(decide({ ...idle, ...change }), decision)
  })
}
