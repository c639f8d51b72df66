// The add-on of Home Assistant, built from its Dockerfile and started as the Supervisor starts it: with a folder of
// data and options in it, and here without a network. Its base is a Debian that is not Home Assistant's.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { buildAddOn, givenPodman } from '../support/podman.ts'
import { until } from '../support/until.ts'

const options = {
  rpc: 'http://192.168.1.104:8545',
  contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A',
  budget_request: '0.01 TKN',
  budget_day: '1 TKN',
  budget_total: '10 TKN',
  receivers: [{ name: 'living-room', url: 'http://192.168.1.104:5000' }],
  jobs: [{ name: 'temperature', get: 'living-room/sensors/temperature', every: '5m' }],
  log_level: 'info',
}

test('options become a configuration, a key is made once, and the agent is not root', async (t) => {
  const given = await givenPodman(t)
  const { podman, folder, put, own } = given
  const image = await buildAddOn(given)
  const data = join(folder, 'data')
  await mkdir(data)
  await own(data)
  await put('data/options.json', JSON.stringify(options), 0o600)
  const name = `uraiden-add-on-${process.pid}`
  t.teardown(() => podman('rm', '--force', '--ignore', '--time', '0', name))
  await podman(
    ...['run', '--detach', '--name', name, '--network', 'none', '--cgroups', 'disabled'],
    ...['--volume', `${data}:/data`, '--env', 'SUPERVISOR_TOKEN=of-root', '--entrypoint', 'sh'],
    ...[image, '/run.sh'],
  )
  const logs = () => podman('logs', name)
  // Its node is away, which is no reason to be unhealthy.
  const healthy = () =>
    podman('healthcheck', 'run', name).then(
      () => true,
      () => false,
    )
  await until(async () => {
    if ((await podman('inspect', '--format', '{{.State.Running}}', name)) !== 'true') {
      throw new Error(await podman('logs', name))
    }
    return healthy()
  })
  const inside = (command: string) => podman('exec', name, 'sh', '-c', command)
  t.is(
    await inside('cd /data/agent; stat -c "%n %a %u" agent.yaml key.json password broker-password'),
    'agent.yaml 600 10001\nkey.json 600 10001\npassword 600 10001\nbroker-password 600 10001',
  )
  t.regex(await inside('cat /proc/1/status'), /Uid:\s+10001\s+10001/)
  t.regex(await inside('cat /proc/1/status'), /CapEff:\s+0+\n/)
  const environment = ['exec', '--user', '10001:10001', name, 'cat', '/proc/1/environ']
  t.false((await podman(...environment)).includes('SUPERVISOR_TOKEN'))

  const key = await inside('cat /data/agent/key.json')
  await podman('restart', name)
  await until(healthy)
  t.is(await inside('cat /data/agent/key.json'), key)
  t.regex(await logs(), /account 0x[0-9a-fA-F]{40}/)
})
