import test from 'ava'
import { watch } from '../../../agent/cli/commands/daemon.ts'

test('status --watch shows it again until it is ended, and a failure ends it', async (t) => {
  const end = new AbortController()
  let shown = 0
  const show = async () => {
    shown++
    if (shown === 3) end.abort()
  }
  await watch(show, end.signal, 1)
  t.is(shown, 3)
  const failing = watch(() => Promise.reject(new Error('gone')), new AbortController().signal, 1)
  await t.throwsAsync(failing, { message: 'gone' })
})
