// Data whose origin is not proven: it says so wherever it is seen, and who demands proof gets none of it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Agent } from '../../../agent/index.ts'
import { jobsOf } from '../../../agent/jobs/configured.ts'
import { openJobs } from '../../../agent/jobs/open.ts'
import { jobSchema } from '../../../agent/jobs/schema.ts'
import { between, boundReceiver, type Meddling } from '../../support/bound-receiver.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { agentWithChannel, asks, lyingReceiver, serves } from '../../support/lying-receiver.ts'
import { owner } from '../../support/outbox.ts'
import { until } from '../../support/until.ts'

const authentic = 'require' as const
const demanded = { authentic }

/** A free answer in place of the receiver's demand for payment. */
const gift: Meddling = {
  request: (asked) =>
    asked.path === '/data'
      ? { status: 200, fields: [['Content-Type', 'text/plain']], body: Buffer.from('forged') }
      : asked,
}

test('a forged answer that costs nothing is not handed out to who demands proof', async (t) => {
  const { url } = await boundReceiver(t)
  const forged = await between(t, url, gift)
  const agent = await agentWithChannel(t, { bound: 'require' })
  await t.throwsAsync(agent.get(forged.url, demanded), { code: 'answer_not_authentic' })
  await t.throwsAsync(agent.stream(forged.url, demanded), { code: 'answer_not_authentic' })
  // Who does not demand it is told.
  const answer = await agent.get(forged.url)
  t.is(answer.text(), 'forged')
  t.is(answer.payment, undefined)
})

for (const bound of ['prefer', 'off'] as const) {
  test(`bound: ${bound}: nothing is signed where the answer could not be proven`, async (t) => {
    const receiver = await lyingReceiver(t, ({ payment }) =>
      payment === undefined ? asks() : serves(),
    )
    const agent = await agentWithChannel(t, { bound })
    await t.throwsAsync(agent.get(receiver.url, demanded), { code: 'binding_refused' })
    t.is(receiver.highest(), 0n)
    t.is(agent.channels()[0]?.top, 0n)
    t.false((await agent.get(receiver.url)).payment?.authentic)
    // Also on terms that are known, and beside unbound payments.
    await t.throwsAsync(agent.get(receiver.url, demanded), { code: 'binding_refused' })
    t.is(receiver.highest(), 5n)
  })
}

test('a proven answer is handed out, and the history says of each whether it is proven', async (t) => {
  const { url } = await boundReceiver(t)
  const agent = await agentWithChannel(t, { bound: 'prefer' })
  t.true((await agent.get(url, demanded)).payment?.authentic)
  const { body } = await agent.stream(url, demanded)
  await body.toArray()
  const unbound = await lyingReceiver(t, ({ payment }) =>
    payment === undefined ? asks() : serves(),
  )
  const other = await agentWithChannel(t)
  await other.get(unbound.url)
  // That of a stream was not known when it was written down.
  t.deepEqual(
    [...agent.history(), ...other.history()].map((each) => each.authentic),
    [true, undefined, false],
  )
})

async function buyWithJobs(t: ExecutionContext, agent: Agent, job: object) {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'out.jsonl')
  const config = jobSchema.parse({
    every: '0 0 1 1 *',
    retry: { times: 0 },
    sinks: [{ file }],
    ...job,
  })
  const jobs = await openJobs({
    jobs: jobsOf({ reading: config }, { symbol: 'TKN', decimals: 0 }),
    buyer: agent,
    resolve: (target) => new URL(target),
    folder: join(folder, 'jobs'),
    owner,
    onEvent: () => undefined,
    syncInterval: 5,
  })
  t.teardown(() => jobs.stop(0))
  await jobs.start()
  return {
    run: () => jobs.run('reading'),
    status: () => jobs.status()[0],
    lines: async () =>
      (await readFile(file, 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  }
}

test('a job’s entry and its last run say that the data is authentic', async (t) => {
  const { url } = await boundReceiver(t)
  const agent = await agentWithChannel(t, { bound: 'require' })
  const job = await buyWithJobs(t, agent, { get: url, authentic })
  t.like(await job.run(), { kind: 'done', authentic: true })
  const [line] = await until(async () => {
    const lines = await job.lines()
    return lines.length > 0 && lines
  })
  t.like(line, { authentic: true, text: '/data 1' })
  t.like(job.status()?.last, { kind: 'done', authentic: true })
})

test('a job that demands proof delivers nothing that a stranger gave away, one that does not says so', async (t) => {
  const { url } = await boundReceiver(t)
  const forged = await between(t, url, gift)
  const agent = await agentWithChannel(t, { bound: 'require' })
  const strict = await buyWithJobs(t, agent, { get: forged.url, authentic })
  t.like(await strict.run(), {
    kind: 'failed',
    error: { code: 'answer_not_authentic' },
    payment: 'none',
  })
  t.deepEqual(await strict.lines(), [])

  const lax = await buyWithJobs(t, agent, { get: forged.url })
  t.like(await lax.run(), { kind: 'done', authentic: false })
  const [line] = await until(async () => {
    const lines = await lax.lines()
    return lines.length > 0 && lines
  })
  t.like(line, { authentic: false, text: 'forged' })
})
