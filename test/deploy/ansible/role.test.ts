// The role as YAML, without Ansible: what it reads is a default or its own, its files are there, and it keeps a key's
// password off every command line. That it works is test/provision/ansible.test.ts.
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { parse } from 'yaml'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { temporaryFolder } from '../../support/folder.ts'

type Task = Readonly<Record<string, unknown>>

const role = new URL('../../../deploy/ansible/uraiden_agent/', import.meta.url)
const read = (path: string) => readFile(new URL(path, role), 'utf8')
const defaults: Readonly<Record<string, unknown>> = parse(await read('defaults/main.yml'))
const files = await readdir(new URL('tasks/', role))
const tasks = (
  await Promise.all(
    files.map(async (file) =>
      (parse(await read(`tasks/${file}`)) as readonly Task[]).map((task) => ({ file, task })),
    ),
  )
).flat()

/** What a task is of: the one key that is a module's full name. */
const moduleOf = (task: Task) => Object.keys(task).filter((key) => /^ansible\.builtin\./.test(key))

test('each task has a name and one module of Ansible’s own', (t) => {
  t.true(tasks.length > 12)
  for (const { file, task } of tasks) {
    t.is(typeof task.name, 'string', file)
    t.is(moduleOf(task).length, 1, `${file}: ${task.name}`)
  }
})

test('what it imports and notifies is there, and nothing is left over', async (t) => {
  const imported = tasks.flatMap(({ task }) => task['ansible.builtin.import_tasks'] ?? [])
  t.deepEqual([...imported, 'main.yml'].sort(), [...files].sort())
  const handlers: readonly Task[] = parse(await read('handlers/main.yml'))
  const notified = tasks.flatMap(({ task }) => task.notify ?? [])
  t.deepEqual(
    [...new Set(notified)],
    handlers.map(({ name }) => name),
  )
  for (const { task } of tasks) {
    const template = task['ansible.builtin.template'] as { readonly src: string } | undefined
    if (template) t.true(existsSync(new URL(`templates/${template.src}`, role)), template.src)
  }
})

test('each variable is a default that README.md explains, or made in the role', async (t) => {
  const text = (await Promise.all(files.map((file) => read(`tasks/${file}`)))).join('\n')
  const all = `${text}\n${await read('templates/agent.yaml.j2')}`
  const used = new Set(all.match(/\buraiden_agent_\w+/g) ?? [])
  const made = new Set([
    ...[...text.matchAll(/register: (\w+)/g)].map(([, name = '']) => name),
    ...[...text.matchAll(/^ {4}(uraiden_agent_\w+): /gm)].map(([, name = '']) => name),
  ])
  for (const name of used) t.true(name in defaults || made.has(name), name)
  const readme = await read('README.md')
  for (const name of Object.keys(defaults)) {
    t.true(used.has(name), `${name} is used`)
    t.true(readme.includes(`\`${name}\``), `${name} is explained`)
  }
})

test('whatever makes a secret is done once, and a secret is on no command line', (t) => {
  const making = tasks.filter(
    ({ task }) => /^Make /.test(String(task.name)) && !moduleOf(task)[0]?.endsWith('import_tasks'),
  )
  t.is(making.length, 3)
  for (const { task } of making) {
    const [module = ''] = moduleOf(task)
    const { creates } = task[module] as { readonly creates?: string }
    t.regex(creates ?? '', /^\/(var\/lib\/uraiden-agent|etc\/credstore\.encrypted)\//)
    t.false(JSON.stringify(task).includes('{{ uraiden_agent_password'))
  }
})

test('the configuration of the example is one', async (t) => {
  const playbook = await readFile(new URL('../playbook.yml', role), 'utf8')
  const [{ roles }] = parse(playbook)
  const { uraiden_agent_config: config } = roles[0].vars
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, JSON.stringify({ ...config, key: '/k' }))
  await t.notThrowsAsync(loadAgentConfig(file, {}))
})
