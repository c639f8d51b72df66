// What the bodies of several operations have in common.
import type { Answer, JsonSchema, Parameter } from './types.ts'

export function ref(name: keyof typeof schemas): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** An object with exactly these fields, those in `optional` left out at times. */
export function object(
  properties: { readonly [name: string]: JsonSchema },
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] }
}

export function json(description: string, schema: JsonSchema): Answer {
  return { description, content: { 'application/json': { schema } } }
}

export function problem(description: string): Answer {
  return { description, content: { 'application/problem+json': { schema: ref('Problem') } } }
}

export const count: JsonSchema = { type: 'integer', minimum: 0 }
export const text: JsonSchema = { type: 'string' }

export const schemas = {
  Address: {
    type: 'string',
    pattern: '^0x[0-9a-fA-F]{40}$',
    description: '20 bytes in hex; answers have the EIP-55 checksum',
  },
  Amount: {
    type: 'string',
    pattern: '^[0-9]{1,58}$',
    description: 'a uint192 in the smallest unit of the token, or in wei, in decimal',
  },
  BlockText: { type: 'string', pattern: '^[0-9]{1,10}$', description: 'a uint32 in decimal' },
  Signature: {
    type: 'string',
    pattern: '^0x[0-9a-fA-F]{130}$',
    description: '65 bytes r, s, v in hex',
  },
  TransactionHash: { type: 'string', pattern: '^0x[0-9a-f]{64}$' },
  Problem: object(
    {
      type: { type: 'string', format: 'uri', description: 'urn:uraiden:problem: and the code' },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: { type: 'string', pattern: '^[a-z0-9_]+$', description: 'stable, one per cause' },
      title: text,
      detail: { type: 'string', description: 'what to do, for a person' },
    },
    [],
  ),
} as const satisfies { readonly [name: string]: JsonSchema }

export const senderParameter: Parameter = {
  name: 'sender',
  in: 'path',
  required: true,
  description: 'address of the channel’s sender, in any case',
  schema: ref('Address'),
}

export const openBlockParameter: Parameter = {
  name: 'openBlock',
  in: 'path',
  required: true,
  description: 'block in which the channel was opened',
  schema: ref('BlockText'),
}
