// The catalogues of error codes are whole: the reference is made from them, and no error goes past them.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { exitCodeOf as agentExitCodeOf } from '../../agent/cli/commands/exit-codes.ts'
import { platformErrors } from '../../platform/errors/index.ts'
import { errorMaker } from '../../protocol/errors.ts'
import { exitCodeOf as receiverExitCodeOf } from '../../receiver/cli/commands/exit-codes.ts'
import { errorReference, errorReferenceFile } from '../../scripts/lib/shared/error-reference.ts'

/** They pass on what another process or package said, or make the class itself. */
const relays = new Set([
  'agent/program/configuration/handover.ts',
  'agent/program/control/wire.ts',
  'agent/purchase/delivery.ts',
  'agent/purchase/errors.ts',
  'deploy/pi/fleet/hosts/host.ts',
  'protocol/errors.ts',
  'receiver/cli/commands/control.ts',
  'receiver/resources/routes.ts',
])

test('docs/reference/errors.md is what the catalogues say; npm run errors writes it', (t) => {
  t.is(readFileSync(errorReferenceFile, 'utf8'), errorReference())
})

test('every error is made by its room, so a code outside the catalogue does not compile', (t) => {
  const rooms = ['protocol', 'platform', 'agent', 'receiver', 'browser', 'deploy', 'scripts']
  const listed = execFileSync('git', ['ls-files', ...rooms.map((room) => `${room}/*.ts`)], {
    encoding: 'utf8',
  })
  const direct = listed
    .trim()
    .split('\n')
    .filter((path) => !relays.has(path))
    .filter((path) => /new UraidenError\(/.test(readFileSync(path, 'utf8')))
  t.deepEqual(direct, [])
})

test('the hint of the catalogue holds where the case has none of its own', (t) => {
  const make = errorMaker({ a: { kind: 'chain', hint: 'Wait.' }, b: { kind: 'usage' } })
  t.is(make({ code: 'a', message: 'It is away.' }).hint, 'Wait.')
  t.is(make({ code: 'a', message: 'It is away.', hint: 'Call.' }).hint, 'Call.')
  t.is(make({ code: 'b', message: 'No.', hint: 'Write a number.' }).code, 'b')
})

test('a command exits by the kind; unknown codes and names of Object.prototype are failures', (t) => {
  t.is(platformErrors.chain_unavailable.kind, 'chain')
  for (const exitCodeOf of [agentExitCodeOf, receiverExitCodeOf]) {
    t.deepEqual(
      ['chain_unavailable', 'not_an_address', 'key_password_wrong', 'no_such_code', 'toString'].map(
        exitCodeOf,
      ),
      [5, 2, 6, 1, 1],
    )
  }
})
