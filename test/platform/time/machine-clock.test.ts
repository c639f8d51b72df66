import test from 'ava'
import { readBootId } from '../../../platform/time/machine-clock.ts'

test('the start of the machine has one name, from /proc or from systemd', (t) => {
  const inProc = () => '3f1c6d2e-0a4b-4c5d-8e9f-001122334455\n'
  const hidden = () => {
    throw new Error('ENOENT')
  }
  const given = { URAIDEN_BOOT_ID: '3f1c6d2e0a4b4c5d8e9f001122334455' }
  const id = '3f1c6d2e-0a4b-4c5d-8e9f-001122334455'
  t.is(readBootId(inProc, {}), id)
  t.is(readBootId(hidden, given), id)
  t.is(readBootId(inProc, { URAIDEN_BOOT_ID: 'f'.repeat(32) }), id)
  // Without any, each start counts as another one.
  t.regex(readBootId(hidden, {}), /^process /)
  t.regex(readBootId(hidden, { URAIDEN_BOOT_ID: '%b' }), /^process /)
})
