// The JSON Schema on standard input as TypeScript on standard output.
import { readFileSync } from 'node:fs';
import { compile } from 'json-schema-to-typescript';

const options = {
  bannerComment: '// Made from the models by `make types`; `video-pipeline schema job --typescript` prints it.',
  style: { printWidth: 120, singleQuote: true },
};
process.stdout.write(await compile(JSON.parse(readFileSync(0, 'utf8')), 'Message', options));
