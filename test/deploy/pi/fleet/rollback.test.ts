// An earlier version back, decided with a host that is made up.
import test from 'ava'
import { packageNamed } from '../../../../deploy/pi/fleet/hosts/packages.ts'
import { rollBackHost } from '../../../../deploy/pi/fleet/hosts/rollback.ts'
import { madeUpHost, waiting } from '../../../support/made-up-host.ts'

const named = (...versions: readonly string[]) =>
  versions.map((version) => `uraiden-agent_${version}_arm64.deb`)
const here = (...versions: readonly string[]) =>
  named(...versions).flatMap((name) => packageNamed(name, '/packages') ?? [])

const now = (...kept: readonly string[]) => ({ version: '1.10.0', kept: named(...kept) })

test('the newest kept version below the one there is put back, and both stay', async (t) => {
  const { host, log } = madeUpHost(now('1.2.0', '1.9.0', '1.10.0', '1.11.0'), ['1.9.0'])
  const options = { packages: [], version: undefined, wait: waiting(5000) }
  const done = await rollBackHost(host, options)
  t.like(done, { from: '1.10.0', to: '1.9.0' })
  t.deepEqual(log, ['install 1.9.0 older', 'start'])
})

test('a version may be named, and may come from this computer', async (t) => {
  const { host, log } = madeUpHost(now('1.9.0'), [])
  const options = { packages: here('1.8.0'), version: '1.8.0', wait: waiting(5000) }
  const error = await t.throwsAsync(rollBackHost(host, options), { code: 'host_unhealthy' })
  t.regex(error?.message ?? '', /starts again and again/)
  t.deepEqual(log, ['install 1.8.0 older', 'start'])
})

for (const { what, kept, version } of [
  { what: 'none is kept', kept: [], version: undefined },
  { what: 'the others are newer', kept: ['1.10.0', '1.11.0'], version: undefined },
  { what: 'the one that is asked for is not there', kept: ['1.9.0'], version: '1.8.0' },
  { what: 'the one that is asked for is newer', kept: ['1.11.0'], version: '1.11.0' },
]) {
  test(`nothing is done where ${what}`, async (t) => {
    const { host, log } = madeUpHost(now(...kept), [])
    const options = { packages: [], version, wait: waiting(5000) }
    await t.throwsAsync(rollBackHost(host, options), { code: 'former_package_missing' })
    t.deepEqual(log, [])
  })
}

test('a host that is not set up has no way back', async (t) => {
  const { host } = madeUpHost({ enabled: false }, [])
  const options = { packages: [], version: undefined, wait: waiting(5000) }
  await t.throwsAsync(rollBackHost(host, options), { code: 'host_not_provisioned' })
})
