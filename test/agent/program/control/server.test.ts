// What a command is answered when it fails, and who is told.
import { join } from 'node:path'
import test from 'ava'
import { agentError } from '../../../../agent/errors/index.ts'
import type { Agent } from '../../../../agent/index.ts'
import { connectToDaemon } from '../../../../agent/program/control/client.ts'
import { type CommandHandlers, ControlServer } from '../../../../agent/program/control/server.ts'
import { commandHandlers, type HandlerContext } from '../../../../agent/program/daemon/commands.ts'
import type { Engine } from '../../../../agent/program/daemon/engine.ts'
import { SharedAgent } from '../../../../agent/program/daemon/shared-agent.ts'
import { temporaryFolder } from '../../../support/folder.ts'

test('a defect is told to the log that its answer names; a refusal is not', async (t) => {
  const socket = join(await temporaryFolder(t), 'control.sock')
  const defects: unknown[] = []
  const defect = new TypeError('nothing is undefined')
  const handlers = {
    status: () => {
      throw defect
    },
    settle: () => {
      throw agentError({ code: 'agent_stopping', message: 'The agent is about to stop.' })
    },
  } as unknown as CommandHandlers
  const server = new ControlServer({
    ...{ handlers, buy: () => Promise.reject(defect), metrics: () => '' },
    onDefect: (error) => defects.push(error),
  })
  await server.start(socket)
  t.teardown(() => server.stop())
  const daemon = await connectToDaemon(socket)
  if (daemon === undefined) return t.fail('nobody listens')
  await t.throwsAsync(daemon.command('settle', {}), { code: 'agent_stopping' })
  t.deepEqual(defects, [])
  await t.throwsAsync(daemon.command('status', {}), { code: 'internal' })
  t.deepEqual(defects, [defect])
})

test('between the agent and what begins after it, commands that need that are told to try again', async (t) => {
  const shared = new SharedAgent()
  const handlers = commandHandlers(
    { shared, jobs: { scheduler: undefined }, facts: undefined } as unknown as Engine,
    {} as HandlerContext,
  )
  const notReady = { code: 'agent_not_ready' }
  const needy = async () => {
    await t.throwsAsync(async () => handlers.runJob({ job: 'reading' }), notReady)
    await t.throwsAsync(async () => handlers.pause({}), notReady)
    await t.throwsAsync(async () => handlers.resume({}), notReady)
  }
  await needy()
  await shared.exchange(async () => ({ stop: async () => undefined }) as unknown as Agent, 0)
  await needy()
})
