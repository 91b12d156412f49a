package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// markerTTL is how long the server keeps its own marker of a lease that has expired.
const markerTTL = time.Hour

// A bucket is a key-value bucket: a stream with one message for each name.
type bucket struct {
	js      jetstream.JetStream
	name    string
	stream  string // its name
	subject string // what precedes the name of an entry
	publish string // the same for a message that is published, which may have to go to another domain
}

func newBucket(js jetstream.JetStream, name string) bucket {
	b := bucket{js: js, name: name, stream: "KV_" + name, subject: "$KV." + name + "."}
	switch o := js.Options(); {
	case o.Domain != "":
		b.publish = "$JS." + o.Domain + ".API."
	case o.APIPrefix != "" && o.APIPrefix != jetstream.DefaultAPIPrefix:
		b.publish = strings.TrimSuffix(o.APIPrefix, ".") + "."
	}
	b.publish += b.subject
	return b
}

// A BucketError reports a bucket with other settings than fleet needs. It was not changed.
type BucketError struct {
	// Bucket is its name.
	Bucket string
	// Differences are the settings that are wrong.
	Differences []Difference
}

// A Difference is a setting of a bucket's stream, by its name in the NATS API, as it is and as it must be.
type Difference struct {
	Setting, Got, Want string
}

func (e *BucketError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fleet: bucket %s exists with other settings:", e.Bucket)
	for i, d := range e.Differences {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s is %s, must be %s", d.Setting, d.Got, d.Want)
	}
	return b.String()
}

// open creates the bucket unless it exists. The error is a *BucketError if it exists with other settings.
func (b *bucket) open(ctx context.Context, replicas int) error {
	found, err := b.js.Stream(ctx, b.stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		found, err = b.js.CreateStream(ctx, b.config(replicas))
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody was faster
			found, err = b.js.Stream(ctx, b.stream)
		}
	}
	if err != nil {
		return err
	}
	return b.check(&found.CachedInfo().Config, replicas)
}

func (b *bucket) config(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                   b.stream,
		Description:            "auto-configuration, sealed",
		Subjects:               []string{b.subject + ">"},
		MaxMsgsPerSubject:      1,
		MaxMsgs:                -1,
		MaxBytes:               -1,
		MaxMsgSize:             -1,
		MaxConsumers:           -1,
		Discard:                jetstream.DiscardNew,
		Storage:                jetstream.FileStorage,
		Replicas:               max(replicas, 1),
		AllowRollup:            true,
		DenyDelete:             true,
		AllowDirect:            true,
		AllowMsgTTL:            true,
		SubjectDeleteMarkerTTL: markerTTL,
		AllowAtomicPublish:     true,
	}
}

// check compares the settings on which the guarantees rest.
func (b *bucket) check(c *jetstream.StreamConfig, replicas int) error {
	e := &BucketError{Bucket: b.name}
	need := func(setting string, ok bool, got, want any) {
		if !ok {
			e.Differences = append(e.Differences, Difference{setting, fmt.Sprint(got), fmt.Sprint(want)})
		}
	}
	need("mirror", c.Mirror == nil, "set", "unset")
	need("subjects", len(c.Subjects) == 1 && c.Subjects[0] == b.subject+">", c.Subjects, []string{b.subject + ">"})
	need("retention", c.Retention == jetstream.LimitsPolicy, c.Retention, jetstream.LimitsPolicy)
	need("max_msgs_per_subject", c.MaxMsgsPerSubject == 1, c.MaxMsgsPerSubject, 1)
	need("max_age", c.MaxAge == 0, c.MaxAge, time.Duration(0))
	need("discard", c.Discard == jetstream.DiscardNew, c.Discard, jetstream.DiscardNew)
	need("storage", c.Storage == jetstream.FileStorage, c.Storage, jetstream.FileStorage)
	need("num_replicas", replicas == 0 || c.Replicas == replicas, c.Replicas, replicas)
	need("allow_msg_ttl", c.AllowMsgTTL, false, true)
	need("subject_delete_marker_ttl", c.SubjectDeleteMarkerTTL > 0, c.SubjectDeleteMarkerTTL, markerTTL)
	need("allow_atomic", c.AllowAtomicPublish, false, true)
	if len(e.Differences) > 0 {
		return e
	}
	return nil
}
