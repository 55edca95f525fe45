// The first line of standard input is a JSON Schema; each further one is answered: does it fit?
import { createInterface } from 'node:readline';
import Ajv from 'ajv/dist/2020.js';

let validate;
for await (const line of createInterface({ input: process.stdin })) {
  const value = JSON.parse(line);
  // Strict: an unknown keyword or a pattern that no browser understands is an error.
  if (validate === undefined) validate = new Ajv.Ajv2020({ strict: true, allowUnionTypes: true }).compile(value);
  else console.log(JSON.stringify(validate(value)));
}
