// mongo-command runs one database command and prints the reply as canonical extended JSON: the
// testbed initiates replica sets, makes users and asks for readiness with it, and there is no
// shell for MongoDB in the package registries.
//
// usage: mongo-command URI DATABASE '{"ping": 1}'; a password in MONGODB_PASSWORD replaces the URI's.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func run(uri, database, text string) error {
	var command bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &command); err != nil {
		return fmt.Errorf("the command is no extended JSON: %w", err)
	}
	settings := options.Client().ApplyURI(uri).SetServerSelectionTimeout(5 * time.Second)
	if password := os.Getenv("MONGODB_PASSWORD"); password != "" && settings.Auth != nil {
		settings.Auth.Password = password
	}
	limited, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	client, err := mongo.Connect(limited, settings)
	if err != nil {
		return err
	}
	defer client.Disconnect(limited)
	reply, err := client.Database(database).RunCommand(limited, command).Raw()
	if err != nil {
		return err
	}
	json, err := bson.MarshalExtJSON(reply, true, false)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(json))
	return err
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, `usage: mongo-command URI DATABASE '{"ping": 1}'`)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "mongo-command:", err)
		os.Exit(1)
	}
}
