// How many files a reader has to know to follow one purchase: those that run in it.
import test from 'ava'
import { givenChannel } from '../support/channel.ts'
import { executedFiles } from '../support/executed-files.ts'

/** Nothing looks at the chain meanwhile. */
const pollInterval = 3_600_000

test('a paid request runs through few files of the receiver', async (t) => {
  // Threads have no say in this: what a worker runs (signatures/worker.ts) is not seen here.
  const { pay } = await givenChannel(t, { receiver: { pollInterval, verifierThreads: 2 } })
  await pay(5n)
  const files = await executedFiles(async () => {
    const answer = await pay(10n)
    t.is(answer.status, 200)
    t.is(await answer.text(), '{"celsius":21.4}')
  })
  t.log(files.join('\n'))
  const rooms = files.filter((file) => file.startsWith('receiver/'))
  t.true(rooms.length <= 10, rooms.join('\n'))
})
