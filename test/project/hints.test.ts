// What a hint tells a person to write exists: options and commands of our programs, settings of our configurations.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'ava'
import ts from 'typescript'
import { agentConfig } from '../../agent/program/configuration/config.ts'
import { inventorySchema } from '../../deploy/pi/fleet/hosts/inventory.ts'
import { jsonSchemaOf } from '../../platform/config/index.ts'
import type { JsonSchema } from '../../platform/config/names.ts'
import { receiverConfig } from '../../receiver/program/config.ts'

const rooms = [
  'agent',
  'receiver',
  'platform',
  'protocol',
  'browser',
  'contracts',
  'scripts',
  'deploy',
  'test/lab',
]

/** Calls `look` with each node of all sources. */
function walk(look: (node: ts.Node, file: string) => void): void {
  const listed = execFileSync('git', ['ls-files', ...rooms.map((room) => `${room}/*.ts`)], {
    encoding: 'utf8',
  })
  for (const file of listed.trim().split('\n')) {
    const source = ts.createSourceFile(
      file,
      readFileSync(file, 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    )
    const visit = (node: ts.Node): void => {
      look(node, file)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
}

/** Literals in an expression; what is filled in is `…`. */
function textsIn(node: ts.Node): readonly string[] {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) {
    return [[node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…')]
  }
  const found: string[] = []
  ts.forEachChild(node, (child) => void found.push(...textsIn(child)))
  return found
}

interface Found {
  /** By file. */
  readonly hints: readonly (readonly [file: string, hint: string])[]
  readonly options: ReadonlySet<string>
  readonly commands: ReadonlySet<string>
}

function look(): Found {
  const hints: [string, string][] = []
  // The last one is apt-get's.
  const options = new Set<string>(['--help', '--no-install-recommends'])
  const commands = new Set<string>()
  walk((node, file) => {
    if (ts.isPropertyAssignment(node) && /hint$/i.test(node.name.getText())) {
      for (const text of textsIn(node.initializer)) hints.push([file, text])
    }
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return
    const called = node.expression.getText().split('.').at(-1) ?? ''
    const [first] = node.arguments ?? []
    if (first === undefined) return
    const [text = ''] = textsIn(first)
    if (/^(option|requiredOption|addOption|Option)$/.test(called)) {
      for (const [name] of text.matchAll(/--[a-z][a-z-]*/g)) options.add(name)
    }
    if (/^(command|Command)$/.test(called)) commands.add(text.split(' ')[0] ?? '')
  })
  return { hints, options, commands }
}

/** `a`, `a.b` for every table and setting; `*` stands for what a person chooses. */
function settings(schema: JsonSchema, path: readonly string[] = []): readonly string[] {
  const inside = [schema, ...(schema.anyOf ?? [])].flatMap(
    ({
      properties = {},
      additionalProperties,
      items,
    }: JsonSchema & { readonly items?: JsonSchema }) => [
      ...Object.entries(properties).flatMap(([name, each]) => settings(each, [...path, name])),
      ...(typeof additionalProperties === 'object'
        ? settings(additionalProperties, [...path, '*'])
        : []),
      ...(typeof items === 'object' ? settings(items, path) : []),
    ],
  )
  return [path.join('.'), ...inside]
}

const { hints, options, commands } = look()
const known = [agentConfig, receiverConfig, inventorySchema].flatMap((config) =>
  settings(jsonSchemaOf(config)),
)

/** Whether it is one, from its beginning or within a table that the hint has named before. */
function isSetting(name: string): boolean {
  const parts = name.split('.')
  return known.some((each) => {
    const own = each.split('.')
    return parts.every((part, at) => {
      const there = own[own.length - parts.length + at]
      return there === part || there === '*'
    })
  })
}

test('hints are found', (t) => {
  t.true(hints.length > 300)
  t.true(options.has('--uncooperative') && commands.has('doctor'))
  t.true(isSetting('receivers.NAME.bound') && isSetting('proxy.mostBody'))
  t.false(isSetting('proxy.nothing') || isSetting('nothing.at'))
})

test('each option that a hint names is one of a program', (t) => {
  const wrong = hints.flatMap(([file, hint]) =>
    [...hint.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)]
      .filter(([name]) => !options.has(name))
      .map(([name]) => `${file}: ${name}`),
  )
  t.deepEqual(wrong, [])
})

/** What programs of others are told. */
const foreign = new Set(['chmod', 'chown', 'openssl', 'apt-get', 'npm', 'systemctl'])

test('each command that a hint names is one of a program', (t) => {
  const wrong = hints.flatMap(([file, hint]) =>
    [
      ...hint.matchAll(
        /`((?:uraiden-(?:agent|receiver) )?[a-z][a-z-]*(?: [a-z-]+)*)`|uraiden-(?:agent|receiver) ([a-z-]+)/g,
      ),
    ]
      .map(([, quoted = '', named = '']) => (quoted || named).replace(/^uraiden-\w+ /, ''))
      .filter((text) => {
        const [word = ''] = text.split(' ')
        return !commands.has(word) && !foreign.has(word) && !isSetting(word)
      })
      .map((text) => `${file}: ${text}`),
  )
  t.deepEqual(wrong, [])
})

/** Names with dots that are no settings: files, hosts, members of our libraries and their options. */
const others = /^(\w+\.)+(yaml|json|md|html|pem|dev|sol|ts|conf)$|^go\.dev|^agent\.|^receiver\./

test('each setting that a hint names is one of a configuration', (t) => {
  const wrong = hints.flatMap(([file, hint]) =>
    [...hint.replace(/\w+:\/\/\S+/g, '').matchAll(/(?<![\w@./-])[a-z]\w*(?:\.[a-zA-Z*]\w*)+/g)]
      .map(([name]) => name)
      .filter((name) => !others.test(name) && !isSetting(name))
      .map((name) => `${file}: ${name}`),
  )
  t.deepEqual(wrong, [])
})
