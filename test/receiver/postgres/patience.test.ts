// What a start waits for when its database does not answer, and for how long.
import test from 'ava'
import { receiverError } from '../../../receiver/errors/index.ts'
import { createPatience } from '../../../receiver/postgres/patience.ts'

/** Each pause is a second of its clock. */
function given(more: { readonly longest?: number } = {}) {
  let seconds = 0
  const waited: unknown[] = []
  const now = () => seconds++ * 1000
  const patience = createPatience({ ...more, now, pause: 0, onWait: (why) => waited.push(why) })
  /** Does work that fails with these codes, one after the other, before it is done. */
  const work = async (codes: readonly string[]) => {
    const left = [...codes]
    const found = await patience
      .through(async () => {
        const code = left.shift()
        if (code !== undefined) throw failed(code)
        return 'done'
      })
      .catch((error: { readonly code: string }) => error.code)
    return { found, left: left.length, waited: waited.splice(0).length }
  }
  return { patience, work }
}

/** Five letters and digits are what a server says. */
function failed(code: string): Error {
  if (!/^[0-9A-Z]{5}$/.test(code)) return receiverError({ code: code as 'stopped', message: code })
  const cause = Object.assign(new Error(code), { severity: 'FATAL', code })
  return receiverError({ code: 'postgres_unavailable', message: code, cause })
}

const away = 'postgres_unavailable'

test('a server that begins is waited for, and no other error is', async (t) => {
  const { work } = given()
  t.deepEqual(await work(['57P03', '57P03']), { found: 'done', left: 0, waited: 1 })
  const refused = await work(['57P03', 'postgres_refused', '57P03'])
  t.deepEqual(refused, { found: 'postgres_refused', left: 1, waited: 1 })
  t.deepEqual(await work([]), { found: 'done', left: 0, waited: 0 })
})

test('one that has never answered is not waited for; one that has, and is lost, is', async (t) => {
  const { work, patience } = given()
  t.deepEqual(await work([away]), { found: away, left: 0, waited: 0 })
  patience.reached()
  const lost = await work([away, 'postgres_commit_unknown', '57P03', away])
  t.deepEqual(lost, { found: 'done', left: 0, waited: 1 })
})

test('it is waited for as long as is said, each time anew, and not when the start is over', async (t) => {
  const { work, patience } = given({ longest: 10_000 })
  for (const _ of [1, 2]) {
    t.deepEqual(await work(Array(9).fill('57P03')), { found: 'done', left: 0, waited: 1 })
  }
  t.deepEqual(await work(Array(100).fill('57P03')), { found: away, left: 90, waited: 1 })
  patience.end()
  t.deepEqual(await work(['57P03', away]), { found: away, left: 1, waited: 0 })
})
