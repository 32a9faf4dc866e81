// s3-command makes buckets on any S3 server, and users with their policies on MinIO: the testbed and
// the tests prepare servers with it.
//
// usage: s3-command URL bucket NAME [versioned | locked]
//
//	s3-command URL user ACCESS-KEY POLICY-FILE
//
// The administrator's keys are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the user's secret is
// S3_USER_SECRET_KEY. A bucket or user that is there already is changed to what is asked for.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/minio/madmin-go/v3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type server struct {
	host   string
	secure bool
	keys   *credentials.Credentials
}

func newServer(text string) (*server, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	access, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if access == "" || secret == "" {
		return nil, errors.New("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")
	}
	keys := credentials.NewStaticV4(access, secret, "")
	return &server{host: parsed.Host, secure: parsed.Scheme == "https", keys: keys}, nil
}

func (s *server) makeBucket(limited context.Context, name, kind string) error {
	client, err := minio.New(s.host, &minio.Options{Creds: s.keys, Secure: s.secure, Region: "us-east-1"})
	if err != nil {
		return err
	}
	there, err := client.BucketExists(limited, name)
	if err != nil {
		return err
	}
	if !there {
		options := minio.MakeBucketOptions{Region: "us-east-1", ObjectLocking: kind == "locked"}
		if err := client.MakeBucket(limited, name, options); err != nil {
			return err
		}
	}
	if kind == "versioned" {
		return client.EnableVersioning(limited, name)
	}
	return nil
}

// makeUser gives the user one policy and no other, which has the user's name.
func (s *server) makeUser(limited context.Context, name, policyFile string) error {
	secret := os.Getenv("S3_USER_SECRET_KEY")
	if secret == "" {
		return errors.New("S3_USER_SECRET_KEY is not set")
	}
	policy, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	admin, err := madmin.NewWithOptions(s.host, &madmin.Options{Creds: s.keys, Secure: s.secure})
	if err != nil {
		return err
	}
	if err := admin.AddCannedPolicy(limited, name, policy); err != nil {
		return fmt.Errorf("the policy: %w", err)
	}
	if err := admin.AddUser(limited, name, secret); err != nil {
		return fmt.Errorf("the user: %w", err)
	}
	association := madmin.PolicyAssociationReq{Policies: []string{name}, User: name}
	_, err = admin.AttachPolicy(limited, association)
	if madmin.ToErrorResponse(err).Code == "XMinioAdminPolicyChangeAlreadyApplied" {
		return nil
	}
	return err
}

func run(arguments []string) error {
	s, err := newServer(arguments[0])
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	switch {
	case arguments[1] == "bucket" && len(arguments) == 3:
		return s.makeBucket(limited, arguments[2], "")
	case arguments[1] == "bucket" && (arguments[3] == "versioned" || arguments[3] == "locked"):
		return s.makeBucket(limited, arguments[2], arguments[3])
	case arguments[1] == "user" && len(arguments) == 4:
		return s.makeUser(limited, arguments[2], arguments[3])
	}
	return fmt.Errorf("%q is not understood", arguments[1:])
}

func main() {
	if len(os.Args) != 4 && len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: s3-command URL bucket NAME [versioned | locked]")
		fmt.Fprintln(os.Stderr, "       s3-command URL user ACCESS-KEY POLICY-FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "s3-command:", err)
		os.Exit(1)
	}
}
