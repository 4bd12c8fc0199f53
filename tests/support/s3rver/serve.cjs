// Serves one bucket from a folder: `node serve.cjs FOLDER PORT BUCKET`; prints the port once it listens.
// Its one account has the access key S3RVER and the secret S3RVER.
'use strict'
const S3rver = require('@20minutes/s3rver')

const [folder, port, bucket] = process.argv.slice(2)
const configs = [
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>' +
    '<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>',
]
const server = new S3rver({
  address: '127.0.0.1',
  port: Number(port),
  silent: true,
  directory: folder,
  configureBuckets: [{ name: bucket, configs }],
})
server.run().then((address) => console.log(address.port))
