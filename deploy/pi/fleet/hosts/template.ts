// agent.yaml of one host: the template with its values, and what provisioning itself decides.

import { readFile } from 'node:fs/promises'
import { type Document, isMap, isScalar, parseDocument, type Scalar, visit } from 'yaml'
import { agentConfig } from '../../../../agent/program/configuration/config.ts'
import { parseConfig } from '../../../../platform/config/index.ts'
import { parseYaml } from '../../../../platform/config/yaml.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { HostSettings } from './inventory.ts'

/** Where the key's password is on the Pi. */
export type PasswordStore = 'credential' | 'file'

/** As host.sh has them. */
const onThePi = {
  key: '/var/lib/uraiden-agent/key.json',
  password: '/var/lib/uraiden-agent/password',
  state: '/var/lib/uraiden-agent',
  socket: '/run/uraiden-agent/control.sock',
}

/** @throws UraidenError `template_missing` */
export async function readTemplate(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw toolError({
      code: 'template_missing',
      message: `The template ${file} cannot be read.`,
      cause,
    })
  }
}

export interface Template {
  /** For messages. */
  readonly file: string
  readonly text: string
}

/**
 * The same bytes for the same input, so that a comparison says whether anything changed.
 * @throws UraidenError `template_value_missing`, `config_invalid`
 */
export function renderConfig(template: Template, host: HostSettings, store: PasswordStore): string {
  const { lineOf } = parseYaml(template.text, template.file)
  const document = parseDocument(template.text, {
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === 'string' || !('format' in tag) || tag.format !== 'HEX'),
  })
  visit(document, {
    Scalar: (key, node, ancestors) => {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      const path = ancestors.flatMap((each) =>
        'key' in each && isScalar(each.key) ? String(each.key.value) : [],
      )
      const place = `${template.file}:${lineOf(path)} ${path.join('.')}`
      fillIn(node, host, place)
    },
  })
  settle(document, template.file, host, store)
  const text = `# Written by deploy/pi/provision for ${host.name}: it overwrites what is changed here.\n${document.toString({ lineWidth: 0 })}`
  parseConfig(text, { file: `agent.yaml of ${host.name}`, schema: agentConfig })
  return text
}

/** A scalar that is one placeholder takes the value's type; inside a text it becomes text. */
function fillIn(node: Scalar, { name, values }: HostSettings, place: string): void {
  const text = String(node.value)
  const valueNamed = (key: string) => {
    if (Object.hasOwn(values, key)) return values[key]
    throw toolError({
      code: 'template_value_missing',
      message: `${place}: the host ${name} has no value "${key}".`,
      hint: `Add ${key} under hosts.${name}.values or values. It has: ${Object.keys(values).join(', ')}.`,
    })
  }
  const [whole, only] = /^\$\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(text) ?? []
  if (whole !== undefined && only !== undefined) node.value = valueNamed(only)
  else node.value = text.replace(/\$\{([A-Za-z][A-Za-z0-9_]*)\}/g, (_, key) => `${valueNamed(key)}`)
}

/** What is the same on each Pi, and the budget, whose place is the inventory. */
function settle(
  document: Document.Parsed,
  file: string,
  { budget }: HostSettings,
  store: PasswordStore,
): void {
  const table = (name: string) => {
    const value = name === '' ? document.contents : document.get(name)
    if (value === undefined || isMap(value)) return
    throw toolError({
      code: 'config_invalid',
      message: `${file}${name && ` ${name}`}: this should be a table of settings.`,
      hint: 'Write settings as "name: value", one a line.',
    })
  }
  for (const name of ['', 'budget', 'control']) table(name)
  for (const [window, amount] of Object.entries(budget)) {
    document.setIn(['budget', window], amount)
  }
  document.set('key', onThePi.key)
  if (store === 'file') document.set('password', onThePi.password)
  else document.delete('password')
  document.set('state', onThePi.state)
  document.setIn(['control', 'socket'], onThePi.socket)
}
