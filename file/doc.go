// Package file reads the configuration from a file, instead of from the service, and follows its changes. Source
// makes an observable for autoconfig.Options.Source:
//
//	client, err := autoconfig.Open(ctx, "", &autoconfig.Options{Source: file.Source("/etc/relay/autoconfig.json", nil)})
//
// The file has the data of a put as JSON:
//
//	{"environments":{"<envID>":{…}},"filters":{"<filterID>":{…}}}
//
// It is decoded by decode.Content, so that the same rules hold as for the service's put. A file without environments is
// malformed; one that is to delete everything says so with {"environments":{}}.
//
// # Versions
//
// The version of an environment or filter must grow with each change, as the service's does. An item that has
// changed without a greater version is not used: its entry of the put has an Err that matches ErrVersion, which a
// client logs as a warning. That also holds for the return to an earlier content of the file: its versions are lower. An
// item that the file has left out meanwhile may come back with any version. A client with a Cache begins with the saved
// versions, and an item of the file whose version is not greater is ignored.
//
// # Changes
//
// Each content yields one Put, unless it equals the last one. The subscriber's state finds the differences. Changes
// are noticed by notifications of the operating system, about 100 ms after the last one of a burst, or at most
// 1 s after the first. All of these count: writing in place, replacing the file by renaming, deleting and making it
// again, replacing its directory or a symbolic link on the way to it, as Kubernetes does in the volume of a ConfigMap,
// and making a directory that was missing. Since notifications can get lost, and a network file system has none, the
// file is also checked at an interval.
//
// # Errors
//
// A file that can't be used does not end the observable: the last good content stays in force. It yields a message of
// kind Ignored, once, with a *decode.IgnoredError for the put of path "/". In it are an *fs.PathError with the
// path and the reason: fs.ErrNotExist, for example, ErrTooLarge, or a *decode.MalformedError. A *decode.RefusedError
// follows a Put with the environments that are not refused. The next Put comes as soon as the file is good, even if its
// content is the last good one. Until then a client is not Valid, and its Status.Err is the error.
//
// No error contains anything of the content, except IDs. The file contains SDK keys, so only the program should be
// allowed to read it.
package file
