import { crc32 } from 'node:zlib';

/** A zip archive with one file, stored without compression: the smallest thing that a reader of zip files accepts. */
export function storedZip(name: string, content: Buffer): Buffer {
  const fileName = Buffer.from(name);
  const sums = Buffer.alloc(12);
  sums.writeUInt32LE(crc32(content), 0);
  sums.writeUInt32LE(content.length, 4);
  sums.writeUInt32LE(content.length, 8);

  // Version needed 2.0, no flags, method 0 = stored, date 1980-01-01.
  const common = Buffer.from([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
  const lengths = Buffer.alloc(4);
  lengths.writeUInt16LE(fileName.length, 0);

  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, sums, lengths, fileName, content]);
  // Made by version 2.0; comment, disk, attributes and offset of the local header are all zero.
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02'),
    Buffer.from([20, 0]),
    common,
    sums,
    lengths,
    Buffer.alloc(14),
    fileName,
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
