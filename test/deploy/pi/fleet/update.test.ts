// Health and the way back, decided with a host that is made up.

import test from 'ava'
import { atMost } from '../../../../deploy/pi/fleet/hosts/fleet.ts'
import { judgeHealth, waitForHealth } from '../../../../deploy/pi/fleet/hosts/health.ts'
import type { Host } from '../../../../deploy/pi/fleet/hosts/host.ts'
import {
  choosePackage,
  type Package,
  packageNamed,
} from '../../../../deploy/pi/fleet/hosts/packages.ts'
import { updateHost } from '../../../../deploy/pi/fleet/hosts/update.ts'
import { madeUpHost, waiting as wait } from '../../../support/made-up-host.ts'

const ok = { check: 'chain', verdict: 'ok', says: 'fine' } as const
const dead = { check: 'chain', verdict: 'failure', says: 'gone' } as const
const poor = { check: 'tokens', verdict: 'warning', says: '0 TKN' } as const
const running = { active: true, restarts: 0 }

test('health: what counts, and what is only said', (t) => {
  const judge = (change: object) =>
    judgeHealth({ service: running, findings: [ok], silent: undefined, ...change })
  t.deepEqual(judge({}), { problems: [], warnings: [] })
  t.deepEqual(judge({ findings: [ok, poor] }), { problems: [], warnings: ['tokens: 0 TKN'] })
  t.deepEqual(judge({ findings: [dead] }).problems, ['chain: gone'])
  t.deepEqual(judge({ silent: 'no socket' }).problems, ['the daemon does not answer: no socket'])
  t.deepEqual(judge({ service: { ...running, active: false }, silent: 'no socket' }).problems, [
    'the service is not running',
  ])
})

const packages = ['1.0.0', '1.1.0'].flatMap(
  (version) => packageNamed(`uraiden-agent_${version}_arm64.deb`, '/packages') ?? [],
)

test('an update that comes up healthy keeps the former package for the next time', async (t) => {
  const { host, log } = madeUpHost({}, ['1.0.0', '1.1.0'])
  const updated = await updateHost(host, { packages, version: '1.1.0', wait: wait(5000) })
  t.like(updated, { from: '1.0.0', to: '1.1.0' })
  t.deepEqual(log, [
    'install 1.1.0 newer',
    'start',
    'keep uraiden-agent_1.1.0_arm64.deb uraiden-agent_1.0.0_arm64.deb',
  ])
})

test('one that starts again and again is taken back', async (t) => {
  const { host, log } = madeUpHost({}, ['1.0.0'])
  await t.throwsAsync(updateHost(host, { packages, version: '1.1.0', wait: wait(5000) }), {
    code: 'update_rolled_back',
    message: /starts again and again.*1\.0\.0 runs again/,
  })
  t.deepEqual(log, ['install 1.1.0 newer', 'start', 'install 1.0.0 older', 'start'])
})

test('when the former one does not come up either, both are said', async (t) => {
  const { host } = madeUpHost({}, [])
  await t.throwsAsync(updateHost(host, { packages, version: '1.1.0', wait: wait(5000) }), {
    code: 'update_stuck',
    message: /nor is 1\.0\.0/,
  })
})

test('without the former package nothing is begun', async (t) => {
  const { host, log } = madeUpHost({ version: '0.9.0' }, [])
  await t.throwsAsync(updateHost(host, { packages, version: '1.1.0', wait: wait(5000) }), {
    code: 'former_package_missing',
  })
  t.deepEqual(log, [])
})

test('an update that was killed before it had looked is looked at by the next one', async (t) => {
  const { host, log } = madeUpHost({ version: '1.1.0' }, ['1.0.0'])
  await t.throwsAsync(updateHost(host, { packages, version: '1.1.0', wait: wait(5000) }), {
    code: 'update_rolled_back',
  })
  t.deepEqual(log, ['install 1.0.0 older', 'start'])
})

test('a host that is not set up, or retired, is not updated', async (t) => {
  const { host, log } = madeUpHost({ enabled: false }, [])
  await t.throwsAsync(updateHost(host, { packages, version: '1.1.0', wait: wait(5000) }), {
    code: 'host_not_provisioned',
  })
  t.deepEqual(log, [])
})

test('healthy once is not enough', async (t) => {
  const { host } = madeUpHost({}, ['1.0.0'])
  let asked = 0
  const once: Host = { ...host, service: async () => ({ active: asked++ === 0, restarts: 0 }) }
  const health = await waitForHealth(once, wait(3000))
  t.deepEqual(health.problems, ['the service is not running'])
})

test('the package for an architecture', (t) => {
  const choose = (architecture: string, version?: string): Package =>
    choosePackage(packages, architecture, version)
  t.is(choose('arm64', '1.0.0').path, '/packages/uraiden-agent_1.0.0_arm64.deb')
  t.throws(() => choose('arm64'), { code: 'package_ambiguous' })
  t.throws(() => choose('armhf'), { code: 'package_missing', message: /armhf/ })
  t.throws(() => choose('arm64', '3'), { code: 'package_missing', message: /version 3/ })
  t.is(packageNamed('uraiden-receiver_1.0.0_arm64.deb', '/'), undefined)
})

test('at most so many at a time, and the answers are in order', async (t) => {
  let [now, most] = [0, 0]
  const results = await atMost(3, [5, 1, 4, 2, 3, 0], async (item) => {
    most = Math.max(most, ++now)
    for (let turn = 0; turn < item; turn++) await Promise.resolve()
    now--
    return item * 10
  })
  t.is(most, 3)
  t.deepEqual(results, [50, 10, 40, 20, 30, 0])
})
