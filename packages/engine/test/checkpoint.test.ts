import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { hashManifest, packTensors, unpackTensors } from '../src/checkpoint.ts';

describe('packTensors', () => {
  it('writes float32 little-endian, one tensor after the other, and answers the SHA-256 of the bytes', () => {
    const { blob, bytes } = packTensors([Float32Array.of(1, -2), Float32Array.of(0.5)]);
    expect([...bytes]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f]);
    expect(blob).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('restores every bit, also from bytes that are not aligned', () => {
    const values = [Float32Array.of(Math.PI, -0, 1e-45), Float32Array.of(3e38)];
    const { bytes } = packTensors(values);
    const elsewhere = new Uint8Array(bytes.length + 3).subarray(3); // not aligned to 4
    elsewhere.set(bytes);
    const specs = [
      { name: 'a', shape: [3] },
      { name: 'b', shape: [1, 1] },
    ];
    expect(unpackTensors(elsewhere, specs)).toEqual(values);
    expect(() => unpackTensors(bytes.subarray(4), specs)).toThrow('Expected a blob of 16 bytes, but got 12');
  });
});

describe('hashManifest', () => {
  const manifest: CheckpointManifest = {
    position: { epoch: 1, step: 0 },
    networks: {},
    moments: null,
    scalars: { b: 0.1, a: 2 },
  };

  it('depends on all values, but not on the order of keys', () => {
    expect(hashManifest({ ...manifest, scalars: { a: 2, b: 0.1 } })).toBe(hashManifest(manifest));
    const others = [
      { ...manifest, scalars: { a: 2, b: 0.1000001 } },
      { ...manifest, position: { epoch: 1, step: 1 } },
    ];
    for (const other of others) expect(hashManifest(other)).not.toBe(hashManifest(manifest));
  });

  it('is the SHA-256 of the canonical JSON', () => {
    const text = '{"moments":null,"networks":{},"position":{"epoch":1,"step":0},"scalars":{"a":2,"b":0.1}}';
    expect(hashManifest(manifest)).toBe(createHash('sha256').update(text).digest('hex'));
  });
});
