/**
 * JSON becomes typed values here or not at all. A decoder takes an unknown value and gives the typed one, or throws
 * `DecodeError`; unknown fields are left out, as the protocol asks.
 */

export class DecodeError extends Error {}

export type Decoder<T> = (value: unknown, at: string) => T;

export const text: Decoder<string> = (value, at) => {
  if (typeof value !== "string") throw new DecodeError(`${at} is no text`);
  return value;
};

export const number: Decoder<number> = (value, at) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new DecodeError(`${at} is no number`);
  return value;
};

export const flag: Decoder<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw new DecodeError(`${at} is neither true nor false`);
  return value;
};

export function oneOf<const T extends string>(...choices: readonly T[]): Decoder<T> {
  return (value, at) => {
    if (!choices.includes(value as T)) throw new DecodeError(`${at} is none of ${choices.join(", ")}`);
    return value as T;
  };
}

export function nullable<T>(decoder: Decoder<T>): Decoder<T | null> {
  return (value, at) => (value === null || value === undefined ? null : decoder(value, at));
}

export function or<T>(fallback: T, decoder: Decoder<T>): Decoder<T> {
  return (value, at) => (value === null || value === undefined ? fallback : decoder(value, at));
}

export function list<T>(decoder: Decoder<T>): Decoder<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new DecodeError(`${at} is no list`);
    return value.map((item, index) => decoder(item, `${at}[${index}]`));
  };
}

export function shape<T extends object>(fields: { [K in keyof T]: Decoder<T[K]> }): Decoder<T> {
  return (value, at) => {
    const source = asObject(value, at);
    const result = {} as T;
    for (const name of Object.keys(fields) as (keyof T & string)[]) {
      result[name] = fields[name](source[name], at ? `${at}.${name}` : name);
    }
    return result;
  };
}

export function asObject(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DecodeError(`${at} is no object`);
  return value as Record<string, unknown>;
}
