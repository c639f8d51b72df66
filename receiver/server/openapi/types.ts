// As much of OpenAPI 3.1 as this document uses.

/** JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

export type Content = { readonly [mediaType: string]: { readonly schema: JsonSchema } }

export interface Answer {
  readonly description: string
  readonly content?: Content
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly security?: readonly { readonly [scheme: string]: readonly string[] }[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: { readonly [status: string]: Answer }
}

export type Method = 'get' | 'post' | 'put' | 'delete'

export type PathItem = { readonly [M in Method]?: Operation }

/** Routes by their path, with `{name}` for a part that has a name. */
export type Paths = { readonly [path: string]: PathItem }
