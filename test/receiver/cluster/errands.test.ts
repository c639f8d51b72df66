// What a process that does not lead has the leader do.
import test from 'ava'
import type { Errands, Plain } from '../../../receiver/channels/state.ts'
import { askLeader, serveErrands } from '../../../receiver/cluster/errands.ts'
import { receiverError } from '../../../receiver/errors/index.ts'
import { ledState, sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)

async function given(t: Parameters<typeof ledState>[0], errands: Errands) {
  const state = await ledState(t, await server())
  const errors: unknown[] = []
  const serve = () => {
    const rounds = serveErrands(
      state.database,
      { term: state.term, errands },
      {
        interval: 20,
        onError: (error) => errors.push(error),
      },
    )
    t.teardown(rounds.stop)
  }
  const ask = (kind: string, asked: Plain, timeout?: number) =>
    askLeader(state.database, { kind, asked }, { interval: 20, ...(timeout && { timeout }) })
  return { ...state, serve, ask, errors }
}

onPostgres('the leader does it, once, and who asked hears what came of it', async (t) => {
  const done: Plain[] = []
  const { serve, ask, database } = await given(t, {
    double: async (asked, operation) => {
      done.push(operation)
      return { twice: Number(asked) * 2 }
    },
    refuse: async () => {
      throw receiverError({ code: 'relay_busy', message: 'Too many wait.' })
    },
  })
  const first = ask('double', 4)
  serve()
  t.deepEqual(await first, { twice: 8 })
  t.deepEqual(await ask('double', 5), { twice: 10 })
  t.deepEqual(done, ['errand/1', 'errand/2'])
  await t.throwsAsync(ask('refuse', null), { code: 'relay_busy', message: 'Too many wait.' })
  await t.throwsAsync(ask('unheard of', null), { code: 'leader_missing', message: /unheard of/ })
  t.deepEqual(await database.query('SELECT id FROM errand'), [])
})

onPostgres('what was answered while the leader looked for more is not done again', async (t) => {
  const done: string[] = []
  let looks = 0
  const { serve, database } = await given(t, {
    note: async (asked) => {
      done.push(String(asked))
      if (asked === 'first') await until(() => looks > 1)
      return null
    },
  })
  const { query } = database
  const answered = async (kind: string) => {
    const rows = await query('SELECT FROM errand WHERE asked = $1 AND answer IS NOT NULL', [kind])
    return rows.length > 0
  }
  Object.assign(database, {
    query: async (text: string, values?: readonly unknown[]) => {
      const rows = await query(text, values)
      if (!text.startsWith('SELECT id, kind, asked')) return rows
      looks++
      // What the second look has found comes when it has long been answered.
      if (looks === 2) await until(() => answered('"first"'))
      return rows
    },
  })
  await query(`INSERT INTO errand (kind, asked) VALUES ('note', '"first"')`)
  serve()
  await until(() => looks > 2)
  await query(`INSERT INTO errand (kind, asked) VALUES ('note', '"second"')`)
  await until(() => answered('"second"'))
  t.deepEqual(done, ['first', 'second'])
})

onPostgres(
  'what nobody has begun in time is never done; of what was begun nobody knows',
  async (t) => {
    const done: string[] = []
    const { serve, ask, database } = await given(t, {
      note: async (asked) => {
        done.push(String(asked))
        return null
      },
    })
    await t.throwsAsync(ask('note', 'never', 40), { code: 'leader_missing' })
    const asked = ask('note', 'later', 2000)
    // A leader has begun with it and has ended.
    await until(async () => {
      const begun = await database.query('UPDATE errand SET begun = true RETURNING id')
      return begun.length > 0
    })
    await t.throwsAsync(asked, { code: 'leader_slow' })
    serve()
    t.is(await ask('note', 'now'), null)
    t.deepEqual(done, ['later', 'now'])
  },
)

onPostgres(
  'what a leader has begun when it was killed, the next one does under the same name',
  async (t) => {
    const names: string[] = []
    let fails = true
    const { serve, ask, errors } = await given(t, {
      once: async (_, operation) => {
        names.push(operation)
        if (!fails) return 'done'
        fails = false
        // No error of ours: as if it had ended here.
        throw new Error('killed')
      },
    })
    serve()
    t.is(await ask('once', null), 'done')
    t.deepEqual(names, ['errand/1', 'errand/1'])
    t.is(errors.length, 1)
  },
)
