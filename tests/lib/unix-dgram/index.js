exports.createSocket = () => { throw new Error('Unix datagram sockets are not part of these tests'); };
