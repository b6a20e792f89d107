import { expect, test } from 'vitest';
import { ec2Signature, s3Signature, signedRequest } from './signatures.ts';

const SECRET = '0123456789abcdef';
const base = { access: 'k', host: 'ec2.test:8773', verb: 'GET', path: '/services/Cloud/' };
const CREDENTIAL = 'k/20260101/north/ec2/aws4_request';
const DATE = '20260101T000000Z';
const host = { Host: 'ec2.test:8773' };
const sign = (more: object) => ec2Signature(SECRET, signedRequest.parse({ ...base, ...more }));

/** As keystoneclient's Ec2Signer makes them of the same requests. */
test.each([
  [
    'version 0',
    { params: { Action: 'Run', Timestamp: '2026-01-01T00:00:00', SignatureVersion: '0' } },
    'xrzHCaepYqVLueGKsJzqtXilt/g=',
  ],
  ['version 1', { params: { action: 'Run', B: 'x y', a: 'ü', SignatureVersion: '1' } }, 'vYRAyJZ7gl06TxJuooGhFk3o/Yg='],
  [
    'version 2',
    { params: { Action: "It's (a) *test*!", 'b~c': 'x/y z', SignatureVersion: '2', AWSAccessKeyId: 'k' } },
    'WhkgcpD6R5Wm/3GZgx5xqqYnzrSzEn2k8hMc3J7k4lQ=',
  ],
  [
    'version 4 in a header',
    {
      params: { Action: 'Run', Version: '2' },
      body_hash: 'e3b0',
      headers: {
        ...host,
        'X-Amz-Date': DATE,
        Authorization: `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=host;x-amz-date,Signature=x`,
      },
    },
    '6dfc22d9d3745077f7d68758d5c2836feffbe8842d96e1e78ca2640378351e8b',
  ],
  [
    'version 4 in the query',
    {
      params: {
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': CREDENTIAL,
        'X-Amz-Date': DATE,
        'X-Amz-SignedHeaders': 'host',
        Action: 'Run',
      },
      body_hash: 'e3b0',
      headers: host,
    },
    '739e9a3cdf4cf2c2f21f0ecadc8c5ea329998052bf53cbd64d75b54870d31994',
  ],
])('EC2, %s', (_, request, signature) => {
  expect(sign(request)).toBe(signature);
});

test.each([
  ['no version', { params: {} }],
  ['an unknown version', { params: { SignatureVersion: '3' } }],
  [
    'a date other than the scope says',
    {
      params: {
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': CREDENTIAL,
        'X-Amz-Date': '20270101T000000Z',
      },
    },
  ],
  ['no scope', { params: { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Date': DATE } }],
])('EC2 with %s is no signature', (_, request) => {
  expect(() => sign(request)).toThrowError(expect.objectContaining({ status: 401 }));
});

const toSign = (...lines: string[]) => Buffer.from(lines.join('\n')).toString('base64url');
const SCOPE = '20260101/north/s3/aws4_request';

test('S3, both ways', () => {
  expect(s3Signature(SECRET, toSign('GET', '', '', 'x', '/bucket'))).toBe('IYt/OIKfjKvuGgdZlxeJuUkKPpo=');
  expect(s3Signature(SECRET, toSign('AWS4-HMAC-SHA256', DATE, SCOPE, 'abc'))).toBe(
    '36f3da54c77d9c8db51e430b5a98fddbe31af3e772876d4093c33e5c6bbd9fe8',
  );
});

test.each([
  [toSign('AWS4-HMAC-SHA256', DATE, '20260101/north/ec2/aws4_request', 'abc')],
  [toSign('AWS4-HMAC-SHA256', DATE, '20260101/north/s3', 'abc')],
  [toSign('AWS4-HMAC-SHA256', DATE, SCOPE)],
  [toSign('AWS4-SOMETHING', DATE, SCOPE, 'abc')],
])('S3 signs nothing else', (base64) => {
  expect(() => s3Signature(SECRET, base64)).toThrowError(expect.objectContaining({ status: 401 }));
});
